// The cost of rules in a check: CPU time per decision with ten rules of which the last matches, and with none.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { AuthenticatedCaller, ChooseClient, IncomingRequest } from '@broker/core'
import { compileRules } from '@broker/server/rules'
import { type Summary, summarize } from './statistics.ts'
import { tenRules } from './ten-rules.ts'

const { values } = parseArgs({
  options: { out: { type: 'string' }, rounds: { type: 'string', default: '7' } },
})
const rounds = Number(values.rounds)
// About as many as a gate remembers.
const callersPerRound = 4_000

const compiled = compileRules(tenRules, {
  issuers: ['staff', 'cluster'],
  clients: ['reports', 'orders', 'admin', 'partners'],
  hasGate: true,
})
if ('faults' in compiled) throw new Error(JSON.stringify(compiled.faults))
const { rules } = compiled
const without: ChooseClient = () => ({ client: 'default' })

function caller(): AuthenticatedCaller {
  const groups = Array.from({ length: 20 }, (_, index) => `team-${index}`).concat('engineering')
  return {
    issuer: 'staff',
    subject: 'alice@example.com',
    groups,
    claims: {
      iss: 'https://idp.example.com',
      sub: 'alice@example.com',
      aud: ['orders', 'billing'],
      exp: 1_790_000_000,
      iat: 1_789_990_000,
      scope: 'openid profile email orders:read',
      email: 'alice@example.com',
      email_verified: true,
      groups,
      realm_access: { roles: ['user', 'viewer'] },
    },
    token: 'not a JWT',
  }
}

function request(): IncomingRequest {
  return {
    method: 'GET',
    path: '/orders/4711',
    isPathClear: true,
    rawPath: '/orders/4711',
    query: '',
    host: 'orders.example.com',
    headers: {},
    time: 1_789_995_000_000,
    context: {},
  }
}

/** CPU time of one decision, in microseconds. */
function cpuMicros(choose: ChooseClient, callers: readonly AuthenticatedCaller[], decisions: number): number {
  const before = process.cpuUsage()
  for (let index = 0; index < decisions; index += 1) {
    choose(callers[index % callers.length], request())
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / decisions
}

const known = [caller()]
if (rules.choose(known[0], request()).rule !== 'people') throw new Error('the last rule does not match')
const measured: Record<'without' | 'warm' | 'cold', number[]> = { without: [], warm: [], cold: [] }
// The first round warms up the compiler and is not counted.
for (let round = 0; round <= rounds; round += 1) {
  const unknown = Array.from({ length: callersPerRound }, caller)
  const sample = {
    without: cpuMicros(without, known, 1_000_000),
    warm: cpuMicros(rules.choose, known, 1_000_000),
    cold: cpuMicros(rules.choose, unknown, callersPerRound),
  }
  if (round === 0) continue
  for (const name of ['without', 'warm', 'cold'] as const) measured[name].push(sample[name])
}

const titles = {
  without: 'no rules',
  warm: 'ten rules, a caller seen before',
  cold: 'ten rules, a new caller each time',
}
const result: Partial<Record<keyof typeof titles, Summary>> = {}
for (const name of ['without', 'warm', 'cold'] as const) {
  const summary = summarize(measured[name])
  result[name] = summary
  console.log(
    `${titles[name]}: ${summary.median.toFixed(2)} us of CPU time per decision (${summary.min.toFixed(2)} to ${summary.max.toFixed(2)})`,
  )
}
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(result, undefined, 2)}\n`)
