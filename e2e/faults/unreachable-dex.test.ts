import { setTimeout as delay } from 'node:timers/promises'
import { startDevDex } from '@broker/dev-dex'
import { freePort, startBroker } from '@broker/testing'
import { expect, test } from 'vitest'
import { CheckClient, CheckLoad, credentialsOf, printMeasured, recoveryMs, tally, teams } from './checks.ts'

const clients = teams(5)
const headersOf = (index: number) => credentialsOf(clients, index)
const only = (...outcomes: string[]) => expect.toSatisfy((outcome: string) => outcomes.includes(outcome))
/** Nothing is cut off below this. */
const longestLog = 20_000

function linesOf(log: string): number {
  expect(log.length).toBeLessThan(longestLog)
  return log.split('\n').length - 1
}

test('the broker starts while Dex is down, and needs one request per key once Dex is there', async () => {
  const port = await freePort()
  await using broker = await startBroker({ DEX_TOKEN_URL: `http://127.0.0.1:${port}/dex/token` })
  using client = new CheckClient(broker.port)
  await using load = new CheckLoad(client, { perSecond: 100, headersOf })
  await delay(4_000)
  await using dex = await startDevDex({ port, clients })
  const backAt = performance.now()
  await delay(5_500)
  const answers = await load.stop()

  const before = answers.filter(({ askedAt, tookMs }) => askedAt + tookMs < backAt)
  const recovered = recoveryMs(answers, backAt)
  const { tokenRequests } = dex.counts
  const lines = linesOf(broker.process.log)
  printMeasured('Dex down at start', { outcomes: tally(answers), recovered, tokenRequests, lines })
  expect(before.length).toBeGreaterThan(300)
  for (const { outcome, retryAfter } of before) {
    expect(outcome).toEqual(only('503 token_endpoint_unavailable', '503 overloaded'))
    expect(retryAfter).toMatch(/^[1-5]$/)
  }
  for (const { outcome } of answers) {
    expect(outcome).toEqual(only('200', '503 token_endpoint_unavailable', '503 overloaded'))
  }
  expect(recovered).toBeLessThan(5_000)
  expect(tokenRequests).toBe(clients.length)
  expect(lines).toBeLessThan(40)
}, 20_000)

test('while Dex is down cached tokens are used until they expire, then callers hear when to come back', async () => {
  const first = await startDevDex({ clients, idTokensMs: 7_000 })
  await using broker = await startBroker({ DEX_TOKEN_URL: first.tokenEndpoint, EXPIRY_SAFETY_MARGIN: '2s' })
  using client = new CheckClient(broker.port)
  await using load = new CheckLoad(client, { perSecond: 200, headersOf })
  await delay(2_000)
  await first.close()
  const downAt = performance.now()
  const { tokenRequests: requestsBefore } = first.counts
  await delay(13_000)
  await using second = await startDevDex({ port: first.port, clients })
  const backAt = performance.now()
  await delay(5_500)
  const answers = await load.stop()

  const down = answers.filter(({ askedAt, tookMs }) => askedAt >= downAt && askedAt + tookMs < backAt)
  const served = down.filter(({ outcome }) => outcome === '200')
  const refused = down.filter(({ outcome }) => outcome !== '200')
  const servedForMs = Math.max(...served.map(({ askedAt }) => askedAt - downAt))
  const firstRefusalMs = Math.min(...refused.map(({ askedAt }) => askedAt - downAt))
  const slowestServedMs = Math.max(...served.map(({ tookMs }) => tookMs))
  const recovered = recoveryMs(answers, backAt)
  const { tokenRequests } = second.counts
  const lines = linesOf(broker.process.log)
  printMeasured('Dex down for 13 s', {
    outcomes: tally(answers),
    servedForMs,
    firstRefusalMs,
    slowestServedMs,
    recovered,
    requestsBefore,
    tokenRequests,
    lines,
  })
  for (const { outcome, retryAfter } of refused) {
    expect(outcome).toEqual(only('503 token_endpoint_unavailable', '503 overloaded'))
    expect(retryAfter).toMatch(/^[1-5]$/)
  }
  expect(answers.filter(({ isExpired }) => isExpired)).toEqual([])
  expect(tally(answers.filter(({ askedAt }) => askedAt < downAt))).toEqual({ 200: expect.any(Number) })
  // Six seconds of life, of which the last is left alone, and Dex went away two seconds into it at the latest.
  expect(firstRefusalMs).toBeGreaterThan(2_700)
  expect(servedForMs).toBeLessThan(6_000)
  expect(recovered).toBeLessThan(5_000)
  expect(requestsBefore).toBe(clients.length)
  expect(tokenRequests).toBe(clients.length)
  expect(lines).toBeLessThan(60)
}, 30_000)

test('while Dex comes and goes, nobody waits for long, and cached tokens are used', async () => {
  await using dex = await startDevDex({ clients, idTokensMs: 5_000 })
  await using broker = await startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint, EXPIRY_SAFETY_MARGIN: '1s' })
  using client = new CheckClient(broker.port)
  await using load = new CheckLoad(client, { perSecond: 200, headersOf })
  await delay(1_000)
  for (let round = 0; round < 6; round++) {
    dex.setFault('token', { kind: 'reset' })
    await delay(1_000)
    dex.clearFaults()
    await delay(1_000)
  }
  const backAt = performance.now()
  await delay(2_000)
  const answers = await load.stop()

  const { tokenRequests, tokensIssued } = dex.counts
  const recovered = recoveryMs(answers, backAt)
  const slowestMs = quantileMax(answers.map(({ tookMs }) => tookMs))
  const lines = linesOf(broker.process.log)
  printMeasured('Dex flapping', { outcomes: tally(answers), slowestMs, tokenRequests, tokensIssued, lines })
  for (const { outcome } of answers) {
    expect(outcome).toEqual(only('200', '503 token_endpoint_unavailable', '503 overloaded'))
  }
  expect(answers.filter(({ isExpired }) => isExpired)).toEqual([])
  expect((tally(answers)['200'] ?? 0) / answers.length).toBeGreaterThan(0.9)
  expect(recovered).toBeLessThan(2_000)
  // Three lives of three seconds for each key in 15 s, and some attempts that failed.
  expect(tokenRequests).toBeLessThan(clients.length * 15)
  expect(lines).toBeLessThan(60)
}, 30_000)

test('connections that end in the middle of an answer are tried again, and nobody notices', async () => {
  await using dex = await startDevDex({ clients })
  await using broker = await startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint })
  using client = new CheckClient(broker.port)
  dex.setFault('token', { kind: 'reset', midBody: true, times: 2 })
  const hit = await client.ask(headersOf(0))
  dex.setFault('token', { kind: 'reset', midBody: true })
  const refused = await Promise.all(
    Array.from({ length: 40 }, (_, index) => client.ask(headersOf(1 + (index % 4)))),
  )
  const { tokenRequests } = dex.counts
  const cached = await client.ask(headersOf(0))
  dex.clearFaults()
  const backAt = performance.now()
  await using load = new CheckLoad(client, { perSecond: 100, headersOf })
  await delay(3_000)
  const answers = await load.stop()

  const recovered = recoveryMs(answers, backAt)
  printMeasured('connections cut in the middle of the body', {
    hitTookMs: hit.tookMs,
    refused: tally(refused),
    tokenRequests,
    recovered,
    after: tally(answers),
  })
  expect(hit.outcome).toBe('200')
  expect(cached.outcome).toBe('200')
  for (const { outcome, retryAfter } of refused) {
    expect(outcome).toEqual(only('503 token_endpoint_unavailable', '503 overloaded'))
    expect(retryAfter).toMatch(/^[1-5]$/)
  }
  expect(tokenRequests).toBeLessThanOrEqual(3 + 3 * 4)
  expect(recovered).toBeLessThan(3_000)
}, 20_000)

test('a host that does not resolve is a 503, and the log says where to look', async () => {
  await using broker = await startBroker({
    DEX_TOKEN_URL: 'http://dex.invalid/dex/token',
    ALLOW_INSECURE_DEX_URL: 'true',
  })
  using client = new CheckClient(broker.port)
  await using load = new CheckLoad(client, { perSecond: 100, headersOf })
  await delay(3_000)
  const answers = await load.stop()

  const lines = linesOf(broker.process.log)
  printMeasured('a host that does not resolve', { outcomes: tally(answers), lines })
  for (const { outcome, retryAfter } of answers) {
    expect(outcome).toEqual(only('503 token_endpoint_unavailable', '503 overloaded'))
    expect(retryAfter).toMatch(/^[1-5]$/)
  }
  expect(broker.process.log).toContain('check the host name in DEX_TOKEN_URL: it does not resolve')
  expect(lines).toBeLessThan(30)
}, 20_000)

test('while half of the answers are 500, cached tokens are used and Dex is left alone', async () => {
  await using dex = await startDevDex({ clients, idTokensMs: 5_000 })
  await using broker = await startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint, EXPIRY_SAFETY_MARGIN: '1s' })
  using client = new CheckClient(broker.port)
  let taken = 0
  dex.setFault('token', {
    kind: 'rewrite',
    rewrite: answer =>
      taken++ % 2 === 0 ? answer : { status: 500, headers: {}, body: 'Internal Server Error\n' },
  })
  await using load = new CheckLoad(client, { perSecond: 200, headersOf })
  await delay(10_000)
  dex.clearFaults()
  const backAt = performance.now()
  await delay(2_000)
  const answers = await load.stop()

  const { tokenRequests } = dex.counts
  const recovered = recoveryMs(answers, backAt)
  const lines = linesOf(broker.process.log)
  printMeasured('half of the answers 500', { outcomes: tally(answers), tokenRequests, recovered, lines })
  for (const { outcome } of answers)
    expect(outcome).toEqual(only('200', '502 invalid_token_response', '503 overloaded'))
  expect((tally(answers)['200'] ?? 0) / answers.length).toBeGreaterThan(0.9)
  expect(answers.filter(({ isExpired }) => isExpired)).toEqual([])
  expect(tokenRequests).toBeLessThan(clients.length * 12)
  expect(recovered).toBeLessThan(2_000)
  expect(lines).toBeLessThan(60)
}, 30_000)

function quantileMax(values: readonly number[]): number {
  return Math.max(0, ...values)
}
