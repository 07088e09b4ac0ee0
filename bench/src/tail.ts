// The latency of cached checks behind the gate while other things happen in the process: `node bench/src/tail.ts`. One server has one
// cached token, the other 100,000; then a key comes and another goes, and the configuration changes, up to twice a second.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Contender, startOurs } from './contender.ts'
import { clientSecret, type DexProcess, startDex } from './dex-process.ts'
import type { LoadResult } from './load/load.ts'
import { findLoadGenerator } from './load/load-generator.ts'
import { rawCheck } from './raw-request.ts'
import { median } from './statistics.ts'

const manyTokens = 100_000
const tokensUnderLoad = 1_000
/** Few, so that requests do not wait for each other: what remains in the tail is the process's own. */
const connections = 2
const changeEveryMs = 500

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '4' } },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)

const generator = findLoadGenerator()
const scratch = mkdtempSync(path.join(tmpdir(), 'broker-tail-'))
try {
  await using dex = await startDex('ES256', manyTokens)
  const authorization = `Bearer ${await dex.jwt()}`
  const few = await startServer(dex, 'few', authorization, 1)
  await using small = few.contender
  const many = await startServer(dex, 'many', authorization, manyTokens)
  await using large = many.contender

  const conditions = [
    { title: 'one cached token', server: small, tokens: 1, change: undefined },
    { title: '100,000 cached tokens', server: large, tokens: tokensUnderLoad, change: undefined },
    {
      title: '100,000 cached tokens, keys and configuration change',
      server: large,
      tokens: tokensUnderLoad,
      change: many.change,
    },
  ]
  const results = new Map<string, LoadResult[]>()
  // The first round warms up.
  for (let round = -1; round < rounds; round++) {
    for (const { title, server, tokens, change } of conditions) {
      const result = await load(dex, server, authorization, tokens, change)
      if (round >= 0) results.set(title, [...(results.get(title) ?? []), result])
    }
  }
  console.log(
    `${rounds} rounds of ${seconds} s, ${connections} connections; medians; load: ${generator.name}`,
  )
  for (const [title, all] of results) {
    const of = (value: (result: LoadResult) => number) => median(all.map(value))
    const [p50, p99, p999] = (['p50', 'p99', 'p999'] as const).map(name =>
      of(({ latencyMs }) => latencyMs[name]).toFixed(2),
    )
    const perSecond = of(result => result.requests / result.seconds).toFixed(0)
    console.log(`${title}: p50 ${p50} ms, p99 ${p99} ms, p99.9 ${p999} ms, ${perSecond} checks/s`)
  }
} finally {
  rmSync(scratch, { recursive: true })
}

/** Our server with the gate, with as many tokens in its cache. `change` changes its configuration. */
async function startServer(
  { issuer, jwksUri, tokenEndpoint, rotateKeys }: DexProcess,
  name: string,
  authorization: string,
  tokens: number,
): Promise<{ contender: Contender; change: () => Promise<void> }> {
  const file = path.join(scratch, `${name}.json`)
  let changes = 0
  const writeFile = () => {
    const nightly = { name: 'nightly', clientId: 'client-0', clientSecret: { env: 'NIGHTLY_SECRET' } }
    const scope = changes++ % 2 === 0 ? 'openid' : 'openid groups'
    writeFileSync(file, JSON.stringify({ clients: [{ ...nightly, scope }] }))
  }
  writeFile()
  const contender = await startOurs({
    DEX_TOKEN_URL: tokenEndpoint,
    CONFIG_FILE: file,
    CACHE_MAX_ENTRIES: String(manyTokens),
    NIGHTLY_SECRET: clientSecret(0),
    STATIC_CLIENT_ID: 'client-0',
    STATIC_CLIENT_SECRET: clientSecret(0),
    JWKS_URL: jwksUri,
    JWT_ISSUER: issuer,
    JWT_AUDIENCE: 'orders',
    JWKS_MAX_AGE: '1s',
  })
  await fill(contender.port, authorization, tokens)
  const change = async () => {
    await rotateKeys()
    writeFile()
    process.kill(contender.pid, 'SIGHUP')
  }
  return { contender, change }
}

/** A token for another client: the gate lets callers choose the scope alone. */
function scopeHeader(index: number): Record<string, string> {
  return { 'x-scope': `audience:server:client_id:client-${index}` }
}

async function fill(port: number, authorization: string, tokens: number): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  let next = 0
  const worker = async () => {
    while (next < tokens) {
      const headers = { authorization, ...scopeHeader(next++) }
      const status = await new Promise<number | undefined>((resolve, reject) => {
        get({ port, host: '127.0.0.1', path: '/check', agent, headers }, response => {
          response.resume().on('end', () => resolve(response.statusCode))
        }).on('error', reject)
      })
      if (status !== 200) throw new Error(`a check was answered with ${status} while the cache filled`)
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  agent.destroy()
}

async function repeat(change: (() => Promise<void>) | undefined, until: number): Promise<void> {
  while (change && Date.now() < until) {
    await change()
    await sleep(changeEveryMs)
  }
}

async function load(
  dex: DexProcess,
  { port, log }: Contender,
  authorization: string,
  tokens: number,
  change: (() => Promise<void>) | undefined,
): Promise<LoadResult> {
  const requestsFile = path.join(scratch, `${tokens}.requests`)
  const checks = Array.from({ length: tokens }, (_, index) =>
    rawCheck({ authorization, ...scopeHeader(index) }),
  )
  writeFileSync(requestsFile, checks.join('\0'))
  const tokenRequests = await dex.tokenRequests()
  const until = Date.now() + seconds * 1000
  const [result] = await Promise.all([
    generator.run({ port, requestsFile, firstRequest: 0, connections, seconds }),
    repeat(change, until),
  ])
  if (change && reconfiguredAt(log()) < until - 1000) throw new Error('the configuration ceased to change')
  if ((await dex.tokenRequests()) > tokenRequests) throw new Error('a check was not cached')
  if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} checks failed`)
  return result
}

/** When the configuration changed last, as the log has it. */
function reconfiguredAt(log: string): number {
  const line = log.split('\n').findLast(each => each.includes('"msg":"reconfigured"'))
  return line === undefined ? 0 : Date.parse(JSON.parse(line).time)
}
