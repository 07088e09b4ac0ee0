// Minutes of mixed load and random faults; at the end nothing may have leaked and every request must be accounted for.
// node e2e/soak/soak.ts [--minutes=10] [--seed=<number>]
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type DevDex, type Fault, startDevDex } from '@broker/dev-dex'
import { seededRandom } from '@broker/testing'
import type { Holdings } from './broker-under-soak.ts'
import { BrokersChild } from './brokers-child.ts'
import { RandomCallers, type SoakRequest } from './random-callers.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
if (!(minutes > 0) || !Number.isInteger(seed)) throw new TypeError('--minutes and --seed are numbers')

const random = seededRandom(seed)
const perSecond = 250
const warmUpMs = Math.min(20_000, minutes * 15_000)
const brokersClient = { id: 'broker', secret: 'broker-secret' }
const audience = 'soak'
/** Besides what the load itself keeps for a while: 1,024 tokens and as many rejected credential sets. */
const allowedGrowthMiB = 12
const tokenLifeMs = 8_000
const scopeParts = ['openid', 'email', 'profile', 'groups']
/** Peers as audiences make hundreds of different tokens under one client. */
const peers = Array.from({ length: 300 }, (_, index) => ({
  id: `peer-${index}`,
  secret: `secret-${index}`,
  trustedPeers: [brokersClient.id],
}))

function pick<T>(list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T
}

function randomScope(): string {
  const part = pick(scopeParts)
  return random() < 0.2 ? part : `${part} audience:server:client_id:${pick(peers).id}`
}

function jwtOf(dex: DevDex, header: { kid?: string } = {}, lifeSeconds = 600): string {
  const now = Math.floor(Date.now() / 1000)
  return dex.signJwt(
    { iss: dex.issuer, aud: audience, sub: 'alice', iat: now, exp: now + lifeSeconds },
    header,
  )
}

/** The mixture: most callers are good, some leave early, some bring junk. */
function nextRequest(dex: DevDex): SoakRequest {
  const dice = random()
  const leavesAfterMs = random() < 0.03 ? random() * 20 : undefined
  const headers = {
    authorization: `Bearer ${jwtOf(dex)}`,
    'x-client-secret': brokersClient.secret,
    'x-scope': randomScope(),
  }
  if (dice < 0.85) return { headers, leavesAfterMs, isGood: true }
  if (dice < 0.9)
    return { headers: { ...headers, 'x-client-secret': `wrong-${Math.floor(random() * 20)}` }, isGood: false }
  if (dice < 0.94)
    return {
      headers: {
        ...headers,
        authorization: `Bearer ${jwtOf(dex, { kid: `junk-${Math.floor(random() * 1e6)}` })}`,
      },
      isGood: false,
    }
  if (dice < 0.97)
    return {
      headers: { ...headers, authorization: `Bearer ${jwtOf(dex, {}, -10)}` },
      leavesAfterMs,
      isGood: false,
    }
  return { headers: { ...headers, authorization: 'no JWT' }, isGood: false }
}

const faults: readonly (() => Fault)[] = [
  () => ({ kind: 'reset' }),
  () => ({ kind: 'reset', midBody: true }),
  () => ({ kind: 'slow', delayMs: 100 + random() * 1_500 }),
  () => ({ kind: 'hang' }),
  () => ({ kind: 'html', status: pick([500, 502, 503]) }),
  () => ({ kind: 'html', status: 429 }),
  () => ({ kind: 'huge', bytes: 200_000 }),
  () => ({ kind: 'answer', status: 200, body: '{"access_token":' }),
  () => ({ kind: 'redirect', location: 'http://127.0.0.1:1/' }),
  () => ({ kind: 'missing_expires_in' }),
]

/** Injects a fault for a second or two, every few seconds, and rotates or loses keys. */
async function makeTrouble(dex: DevDex, lastsMs: number): Promise<number> {
  const endsAt = performance.now() + lastsMs
  let troubles = 0
  while (performance.now() < endsAt) {
    await delay(1_000 + random() * 3_000)
    troubles++
    const dice = random()
    if (dice < 0.1) await dex.restart()
    else if (dice < 0.2) await dex.rotateKeys()
    else if (dice < 0.35) dex.setFault('keys', pick(faults)())
    else dex.setFault('token', pick(faults)())
    await delay(500 + random() * 2_000)
    dex.clearFaults()
    if (dex.publishedKids.length > 5) dex.retireKey()
  }
  return troubles
}

async function metric(adminPort: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  const values = text.split('\n').filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

function resourcesOf({ resources }: Holdings): string {
  return Object.entries(resources)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
}

/** Waits until the broker holds no more resources than at the beginning; tells what it holds then. */
async function atRest(broker: BrokersChild, before: Holdings): Promise<Holdings> {
  const total = ({ resources }: Holdings) => Object.values(resources).reduce((sum, count) => sum + count, 0)
  const deadline = performance.now() + 15_000
  let held = await broker.holdings()
  while (total(held) > total(before) && performance.now() < deadline) {
    await delay(500)
    held = await broker.holdings()
  }
  return held
}

console.log(`soak: ${minutes} min, ${perSecond} requests/s, seed ${seed}`)
const startedAt = performance.now()
await using dex = await startDevDex({
  clients: [brokersClient, ...peers],
  algorithm: 'ES256',
  idTokensMs: tokenLifeMs,
})
await using broker = await BrokersChild.start({
  DEX_TOKEN_URL: dex.tokenEndpoint,
  STATIC_CLIENT_ID: brokersClient.id,
  JWKS_URL: dex.jwksUri,
  JWT_ISSUER: dex.issuer,
  JWT_AUDIENCE: audience,
  JWKS_MAX_AGE: '3s',
  JWKS_MAX_STALE: '10s',
  EXPIRY_SAFETY_MARGIN: '2s',
  HTTP_TIMEOUT: '2s',
  CACHE_CLEANUP_INTERVAL: '2s',
})
const callers = new RandomCallers(broker.port, () => nextRequest(dex))
const before = await broker.holdings()
await callers.run(perSecond, warmUpMs)
const warm = await broker.holdings()
const lastsMs = minutes * 60_000 - warmUpMs
const [, troubles] = await Promise.all([callers.run(perSecond, lastsMs), makeTrouble(dex, lastsMs)])
dex.clearFaults()
// Faults are over. The circuit may still be open, and whoever comes beside its first probe is refused once more; from
// then on everybody who is in the right must pass.
const returning = new RandomCallers(broker.port, () => nextRequest(dex))
const recovered = new RandomCallers(broker.port, () => nextRequest(dex))
await delay(16_000)
await returning.run(perSecond, 1_000)
await delay(500)
await recovered.run(perSecond, 3_000)
const phases = [callers, returning, recovered]
const allAnswered = (await Promise.all(phases.map(phase => phase.finish()))).every(Boolean)
const cacheEntries = await metric(broker.adminPort, 'dex_token_broker_cache_entries')
const checks = await metric(broker.adminPort, 'dex_token_broker_checks_total')
// Tokens and rejections outlive the load by some seconds; connections of this process's own requests, too.
await delay(tokenLifeMs + 3_000)
const after = await atRest(broker, before)
const { tokenRequests, keysRequests } = dex.counts
const seconds = (performance.now() - startedAt) / 1000
const exitCode = await broker.stop()

const growthMiB = after.heapMiB - warm.heapMiB
const sumOf = (count: (phase: RandomCallers) => number) =>
  phases.reduce((sum, phase) => sum + count(phase), 0)
const asked = sumOf(phase => phase.asked)
const answered = sumOf(phase => phase.answered)
const passedBad = sumOf(phase => phase.passedBad)
const brokersFaults = sumOf(phase => phase.outcomes['500'] ?? 0)
/** Hundreds of short-lived tokens, each asked for every few seconds: the cache and sharing still spare a good part. */
const tokenRequestBound = asked * 0.75
const keysRequestBound = seconds / 2 + 20
const lineBound = seconds * 20

const findings: [string, boolean, string][] = [
  ['every request answered once, or its client left', allAnswered, `${asked} asked`],
  [
    'nothing but HTTP answers',
    phases.flatMap(phase => Object.keys(phase.outcomes)).every(name => /^(\d{3}|left)$/.test(name)),
    JSON.stringify(callers.outcomes),
  ],
  ['no request was held back', callers.skipped === 0, `${callers.skipped} skipped`],
  ['nobody got in with bad credentials', passedBad === 0, `${passedBad}`],
  ['nobody saw an internal error of the broker', brokersFaults === 0, `${brokersFaults}`],
  [
    'good callers pass when the faults are over',
    recovered.refusedGood === 0,
    JSON.stringify(recovered.outcomes),
  ],
  ['the metric counts what was answered', checks >= answered && checks <= asked, `${checks} checks`],
  ['the heap did not grow', growthMiB < allowedGrowthMiB, `${growthMiB.toFixed(1)} MiB since the warm-up`],
  [
    'resources are back where they were',
    Object.entries(after.resources).every(([name, count]) => count <= (before.resources[name] ?? 0)),
    `${resourcesOf(before)} -> ${resourcesOf(after)}`,
  ],
  ['listeners are back where they were', after.listeners <= before.listeners, `${after.listeners}`],
  [
    'token requests are bounded',
    tokenRequests < tokenRequestBound,
    `${tokenRequests} of ${Math.round(tokenRequestBound)}`,
  ],
  [
    'JWKS requests are bounded',
    keysRequests < keysRequestBound,
    `${keysRequests} of ${Math.round(keysRequestBound)}`,
  ],
  ['the log is bounded', broker.lines < lineBound, `${broker.lines} lines of ${Math.round(lineBound)}`],
  ['it stopped by itself', exitCode === 0, `exit code ${exitCode}`],
]

console.log(`in the first second after the faults: ${JSON.stringify(returning.outcomes)}`)
console.log(
  `heap after GC: ${before.heapMiB.toFixed(1)} at start, ${warm.heapMiB.toFixed(1)} warm, ${after.heapMiB.toFixed(1)} MiB at rest`,
)
console.log(
  `${troubles} faults, ${cacheEntries} tokens cached, ${callers.left} clients left early, ${seconds.toFixed(0)} s\n`,
)
for (const [what, isGood, detail] of findings)
  console.log(`${isGood ? 'ok    ' : 'failed'}  ${what.padEnd(50)} ${detail}`)
const failed = findings.filter(([, isGood]) => !isGood).length
console.log(`\n${findings.length - failed} passed, ${failed} failed; seed ${seed}`)
if (failed > 0) process.exitCode = 1
