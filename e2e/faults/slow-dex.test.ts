import { startDevDex } from '@broker/dev-dex'
import { startBroker, until } from '@broker/testing'
import { expect, test } from 'vitest'
import { CheckClient, CheckLoad, credentialsOf, printMeasured, quantileMs, tally, teams } from './checks.ts'

const hits = 'dex_token_broker_cache_hits_total'
const misses = 'dex_token_broker_cache_misses_total'

test('nobody waits for a refresh: the tokens of 20 clients are replaced while Dex takes 500 ms', async () => {
  const clients = teams(20)
  const headersOf = (index: number) => credentialsOf(clients, index)
  await using dex = await startDevDex({ algorithm: 'ES256', clients, idTokensMs: 7_000 })
  await using broker = await startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint, EXPIRY_SAFETY_MARGIN: '1s' })
  using client = new CheckClient(broker.port)
  const first = await Promise.all(clients.map((_, index) => client.ask(headersOf(index))))
  dex.setFault('token', { kind: 'slow', delayMs: 500 })
  await using load = new CheckLoad(client, { perSecond: 100, headersOf })
  const old = new Set(first.map(({ token }) => token))
  // Each client's last answer has another token than its first one had.
  const allReplaced = () => load.answers.slice(-clients.length).every(({ token }) => !old.has(token))
  await until(() => load.answers.length >= clients.length && allReplaced(), 'a new token for each client')
  const answers = await load.stop()

  const { tokenRequests } = dex.counts
  const tokens = new Set([...first, ...answers].map(({ token }) => token))
  printMeasured('steady load across expiries, Dex taking 500 ms', {
    outcomes: tally(answers),
    replaced: tokens.size - clients.length,
    tokenRequests,
    medianMs: quantileMs(answers, 0.5),
    p99Ms: quantileMs(answers, 0.99),
    slowestMs: quantileMs(answers, 1),
  })
  expect(tally([...first, ...answers])).toEqual({ 200: clients.length + answers.length })
  // A check that waits is a miss.
  expect(await broker.metric(misses)).toBe(clients.length)
  expect(await broker.metric(hits)).toBe(answers.length)
  // A token that nobody was given yet may be on its way.
  expect(tokenRequests - tokens.size).toBeLessThanOrEqual(clients.length)
  expect(tokenRequests).toBeGreaterThanOrEqual(tokens.size)
})

test('a Dex that takes a second costs that second once, and 20 callers share it', async () => {
  const clients = teams(5)
  const headersOf = (index: number) => credentialsOf(clients, index)
  await using dex = await startDevDex({ algorithm: 'ES256', clients })
  dex.setFault('token', { kind: 'slow', delayMs: 1_000 })
  await using broker = await startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint })
  using client = new CheckClient(broker.port)
  const cold = await Promise.all(Array.from({ length: 100 }, (_, index) => client.ask(headersOf(index))))
  await using load = new CheckLoad(client, { perSecond: 100, headersOf })
  await load.answered(50)
  const cached = await load.stop()

  const { tokenRequests } = dex.counts
  printMeasured('Dex taking a second', {
    cold: tally(cold),
    coldMs: quantileMs(cold, 1),
    cached: tally(cached),
    cachedMs: quantileMs(cached, 1),
    tokenRequests,
  })
  expect(tally([...cold, ...cached])).toEqual({ 200: cold.length + cached.length })
  expect(await broker.metric(misses)).toBe(cold.length)
  expect(await broker.metric(hits)).toBe(cached.length)
  expect(tokenRequests).toBe(clients.length)
})

test('of 640 new clients at once 16 are asked for at a time, the others receive `Retry-After`, and all get their token', async () => {
  const crowd = teams(640)
  await using dex = await startDevDex({ algorithm: 'ES256', clients: crowd })
  await using broker = await startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint })
  // Held open before, so that they ask at the same moment.
  using client = new CheckClient(broker.port, { maxSockets: crowd.length })
  await Promise.all(crowd.map(() => client.ask({})))
  dex.setFault('token', { kind: 'hang' })
  const refused = await Promise.all(crowd.map((_, index) => client.ask(credentialsOf(crowd, index))))
  const askedInVain = dex.counts.tokenRequests

  dex.setFault('token', { kind: 'slow', delayMs: 20 })
  const backAt = performance.now()
  const waiting = new Set(crowd.keys())
  let rounds = 0
  await until(
    async () => {
      rounds++
      const asking = [...waiting]
      const answers = await Promise.all(asking.map(index => client.ask(credentialsOf(crowd, index))))
      for (const [position, { outcome }] of answers.entries()) {
        if (outcome === '200') waiting.delete(asking[position] as number)
      }
      return waiting.size === 0
    },
    'a token for each client',
    50_000,
  )
  const { tokensIssued } = dex.counts
  printMeasured(`${crowd.length} clients at once`, {
    refused: tally(refused),
    askedInVain,
    slowestRefusalMs: quantileMs(refused, 1),
    allServedMs: performance.now() - backAt,
    rounds,
    tokensIssued,
  })
  // Unknown clients have half of the 32 slots; a probe of the circuit may be added.
  expect(askedInVain).toBeLessThanOrEqual(32)
  expect(
    refused.filter(({ outcome }) => outcome === '503 token_endpoint_unavailable').length,
  ).toBeLessThanOrEqual(32)
  expect(refused.every(({ outcome }) => outcome.startsWith('503 '))).toBe(true)
  for (const { outcome, retryAfter } of refused) {
    if (outcome === '503 overloaded') expect(Number(retryAfter)).toBeGreaterThanOrEqual(1)
  }
  expect(tokensIssued).toBe(crowd.length)
  expect(broker.process.hasEnded).toBe(false)
})
