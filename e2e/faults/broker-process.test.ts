import { setTimeout as delay } from 'node:timers/promises'
import { startDevDex } from '@broker/dev-dex'
import { startBroker, until } from '@broker/testing'
import { expect, test } from 'vitest'
import { CheckClient, CheckLoad, credentialsOf, printMeasured, tally, teams } from './checks.ts'

// Wall clocks that jump are in the unit tests of the core, where the clock is an argument.

const clients = teams(5)
const headersOf = (index: number) => credentialsOf(clients, index)

test('a stop under load loses no request, not even one that waits for Dex', async () => {
  await using dex = await startDevDex({ algorithm: 'ES256', clients })
  await using broker = await startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint })
  using client = new CheckClient(broker.port)
  for (let index = 0; index < 4; index++) await client.ask(headersOf(index))
  await using load = new CheckLoad(client, { perSecond: 300, headersOf: index => headersOf(index % 4) })
  await load.answered(100)
  dex.setFault('token', { kind: 'slow', delayMs: 1_500 })
  const waiting = Array.from({ length: 50 }, () => client.ask(headersOf(4)))
  await until(async () => (await broker.metric('dex_token_broker_cache_misses_total')) === 4 + waiting.length)
  const stoppedAt = performance.now()
  broker.process.signal('SIGTERM')
  const exitCode = await broker.process.ended()
  const tookMs = performance.now() - stoppedAt
  const answers = await load.stop()
  const waited = await Promise.all(waiting)

  printMeasured('SIGTERM under load', { outcomes: tally(answers), waited: tally(waited), tookMs, exitCode })
  expect(exitCode).toBe(0)
  expect(tally(waited)).toEqual({ 200: 50 })
  const served = answers.filter(({ outcome }) => outcome === '200')
  // The listener is closed: no request was accepted, and callers see that at once. Connections that the system
  // had queued and nobody had taken yet are reset when the listener closes.
  const unaccepted = answers.filter(({ outcome }) => outcome === 'ECONNREFUSED')
  const queued = answers.filter(({ outcome, askedAt }) => outcome === 'ECONNRESET' && askedAt > stoppedAt)
  const afterStop = served.filter(({ askedAt }) => askedAt > stoppedAt)
  expect(served.length + unaccepted.length + queued.length).toBe(answers.length)
  expect(afterStop.length).toBeGreaterThan(100)
  expect(queued.length).toBeLessThan(afterStop.length / 4)
  expect(broker.process.log).not.toContain('SHUTDOWN_TIMEOUT is over')
})

test('a process that stood still for longer than its tokens live hands out none of them', async () => {
  await using dex = await startDevDex({ algorithm: 'ES256', clients, idTokensMs: 2_000 })
  await using broker = await startBroker({
    DEX_TOKEN_URL: dex.tokenEndpoint,
    EXPIRY_SAFETY_MARGIN: '500ms',
    HTTP_TIMEOUT: '20s',
  })
  using client = new CheckClient(broker.port)
  const before = await client.ask(headersOf(0))
  // One request is under way when the process stops, and its answer is waiting when the process continues.
  dex.setFault('token', { kind: 'slow', delayMs: 300 })
  const underWay = client.ask(headersOf(1))
  await until(() => dex.counts.tokenRequests === 2)
  broker.process.signal('SIGSTOP')
  const meanwhile = Array.from({ length: 50 }, (_, index) => client.ask(headersOf(index)))
  await until(() => dex.counts.tokensIssued === 2)
  dex.idTokensMs = 3_600_000
  // real time: the process sleeps, and its clock is the machine's
  await delay(2_500)
  broker.process.signal('SIGCONT')
  const answers = await Promise.all([underWay, ...meanwhile])

  const expired = answers.filter(({ isExpired }) => isExpired)
  printMeasured('a process suspended for 2.5 s', {
    outcomes: tally(answers),
    expired: expired.length,
    tokenRequests: dex.counts.tokenRequests,
  })
  expect(before.outcome).toBe('200')
  expect(expired).toEqual([])
  expect(answers.map(({ token }) => token)).not.toContain(before.token)
  expect(answers.filter(({ outcome }) => outcome === '200').length).toBeGreaterThanOrEqual(30)
  expect(dex.counts.tokenRequests).toBeLessThanOrEqual(2 * clients.length + 1)
})
