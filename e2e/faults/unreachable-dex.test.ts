import { startDevDex } from '@broker/dev-dex'
import { freePort, startBroker, until } from '@broker/testing'
import { describe, test } from 'vitest'
import {
  type CheckAnswer,
  CheckClient,
  CheckLoad,
  credentialsOf,
  linesOf,
  printMeasured,
  quantileMs,
  recoveryMs,
  tally,
  teams,
} from './checks.ts'

const clients = teams(5)
const headersOf = (index: number) => credentialsOf(clients, index)
/** Enough that each client is among them several times. */
const severalOfEach = 10 * clients.length

/** A token of 60 s is replaced from its first to seventh second on, and stays usable for most of a minute when that fails. */
const replacedEarly = { EXPIRY_SAFETY_MARGIN: '1s', REFRESH_AHEAD_RATIO: '0.12' }

// Each test has a Dex and a broker to itself, and mostly waits: they run side by side.
describe.concurrent('while Dex cannot be reached', () => {
  test('the broker starts, and needs one request per key once Dex is there', async ({ expect }) => {
    const port = await freePort()
    await using broker = await startBroker({ DEX_TOKEN_URL: `http://127.0.0.1:${port}/dex/token` })
    using client = new CheckClient(broker.port)
    await using load = new CheckLoad(client, { perSecond: 100, headersOf })
    await load.inARow(severalOfEach, '503 overloaded')
    const before = load.answers.length
    await using dex = await startDevDex({ algorithm: 'ES256', port, clients })
    const backAt = performance.now()
    const recoveredFrom = await load.inARow(severalOfEach)
    const answers = await load.stop()

    const { tokenRequests } = dex.counts
    const lines = linesOf(broker.process.log)
    printMeasured('Dex down at start', {
      outcomes: tally(answers),
      recovered: recoveryMs(answers, backAt),
      tokenRequests,
      lines,
    })
    expect(unlike(answers.slice(0, before), is503)).toEqual([])
    expect(unlike(answers, answer => answer.outcome === '200' || is503(answer))).toEqual([])
    expect(tally(answers.slice(recoveredFrom))).toEqual({ 200: answers.length - recoveredFrom })
    expect(tokenRequests).toBe(clients.length)
    expect(lines).toBeLessThan(40)
  })

  test('cached tokens are used until they expire, then callers receive `Retry-After`', async ({ expect }) => {
    const first = await startDevDex({ algorithm: 'ES256', clients, idTokensMs: 5_000 })
    await using broker = await startBroker({ DEX_TOKEN_URL: first.tokenEndpoint, EXPIRY_SAFETY_MARGIN: '2s' })
    using client = new CheckClient(broker.port)
    const askedAt = performance.now()
    await Promise.all(clients.map((_, index) => client.ask(headersOf(index))))
    const issuedAt = performance.now()
    await first.close()
    const { tokenRequests: requestsBefore } = first.counts
    await using load = new CheckLoad(client, { perSecond: 200, headersOf })
    await load.inARow(severalOfEach, '503 overloaded')
    const down = load.answers.length
    await using second = await startDevDex({ algorithm: 'ES256', port: first.port, clients })
    const backAt = performance.now()
    const recoveredFrom = await load.inARow(severalOfEach)
    const answers = await load.stop()

    const whileDown = answers.slice(0, down)
    const served = whileDown.filter(({ outcome }) => outcome === '200')
    const refused = whileDown.filter(({ outcome }) => outcome !== '200')
    const { tokenRequests } = second.counts
    const lines = linesOf(broker.process.log)
    printMeasured('Dex down', {
      outcomes: tally(answers),
      slowestServedMs: quantileMs(served, 1),
      recovered: recoveryMs(answers, backAt),
      requestsBefore,
      tokenRequests,
      lines,
    })
    expect(unlike(refused, is503)).toEqual([])
    expect(answers.filter(({ isExpired }) => isExpired)).toEqual([])
    // Dex says four seconds, of which the margin takes two; without Dex it gives one of them back. The answer to a check is never older than the check,
    // and never younger than its end: neither bound depends on how fast this machine is.
    expect(refused.filter(answer => answer.askedAt + answer.tookMs < askedAt + 3_000)).toEqual([])
    expect(served.filter(answer => answer.askedAt > issuedAt + 4_000)).toEqual([])
    expect(served.length).toBeGreaterThan(0)
    expect(tally(answers.slice(recoveredFrom))).toEqual({ 200: answers.length - recoveredFrom })
    expect(requestsBefore).toBe(clients.length)
    expect(tokenRequests).toBe(clients.length)
    expect(lines).toBeLessThan(60)
  })

  test('again and again for a moment, cached tokens are used', async ({ expect }) => {
    await using dex = await startDevDex({ algorithm: 'ES256', clients, idTokensMs: 60_000 })
    await using broker = await startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint, ...replacedEarly })
    using client = new CheckClient(broker.port)
    await using load = new CheckLoad(client, { perSecond: 200, headersOf })
    await load.inARow(severalOfEach)
    for (let round = 0; round < 3; round++) {
      // A request and both of its retries at least: then a refresh has failed for good.
      const attempts = dex.counts.tokenRequests + 5
      dex.setFault('token', { kind: 'reset' })
      await until(() => dex.counts.tokenRequests >= attempts, 'attempts that fail')
      await load.answered(severalOfEach)
      dex.clearFaults()
      const issued = dex.counts.tokensIssued
      await until(() => dex.counts.tokensIssued > issued, 'an attempt that succeeds')
    }
    const backAt = performance.now()
    await until(() => dex.counts.tokensIssued >= 2 * clients.length, 'another token for each client')
    await load.inARow(severalOfEach)
    const answers = await load.stop()

    const { tokenRequests, tokensIssued } = dex.counts
    const lines = linesOf(broker.process.log)
    printMeasured('Dex flapping', {
      outcomes: tally(answers),
      slowestMs: quantileMs(answers, 1),
      recovered: recoveryMs(answers, backAt),
      tokenRequests,
      tokensIssued,
      lines,
    })
    expect(tally(answers)).toEqual({ 200: answers.length })
    expect(answers.filter(({ isExpired }) => isExpired)).toEqual([])
    // Failed requests were not repeated over and over.
    expect(tokenRequests).toBeLessThan(clients.length * 10)
    expect(lines).toBeLessThan(60)
  })

  test('because its connections end in the middle of an answer, the request is tried again, and nobody notices', async ({
    expect,
  }) => {
    await using dex = await startDevDex({ algorithm: 'ES256', clients })
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
    const recoveredFrom = await load.inARow(severalOfEach)
    const answers = await load.stop()

    printMeasured('connections cut in the middle of the body', {
      hitTookMs: hit.tookMs,
      refused: tally(refused),
      tokenRequests,
      recovered: recoveryMs(answers, backAt),
      after: tally(answers),
    })
    expect(hit.outcome).toBe('200')
    expect(cached.outcome).toBe('200')
    expect(unlike(refused, is503)).toEqual([])
    expect(tokenRequests).toBeLessThanOrEqual(3 + 3 * 4)
    expect(tally(answers.slice(recoveredFrom))).toEqual({ 200: answers.length - recoveredFrom })
  })

  test('because its host does not resolve, checks are 503, and the log says where to look', async ({
    expect,
  }) => {
    await using broker = await startBroker({
      DEX_TOKEN_URL: 'http://dex.invalid/dex/token',
      ALLOW_INSECURE_DEX_URL: 'true',
    })
    using client = new CheckClient(broker.port)
    await using load = new CheckLoad(client, { perSecond: 100, headersOf })
    await load.answered(150)
    const answers = await load.stop()

    const lines = linesOf(broker.process.log)
    printMeasured('a host that does not resolve', { outcomes: tally(answers), lines })
    expect(unlike(answers, is503)).toEqual([])
    expect(broker.process.log).toContain('check the host name in DEX_TOKEN_URL: it does not resolve')
    expect(lines).toBeLessThan(30)
  })

  test('for every other request, which is answered 500, cached tokens are used and the circuit opens', async ({
    expect,
  }) => {
    await using dex = await startDevDex({ algorithm: 'ES256', clients, idTokensMs: 60_000 })
    await using broker = await startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint, ...replacedEarly })
    using client = new CheckClient(broker.port)
    let taken = 0
    dex.setFault('token', {
      kind: 'rewrite',
      rewrite: answer =>
        taken++ % 2 === 0 ? answer : { status: 500, headers: {}, body: 'Internal Server Error\n' },
    })
    await using load = new CheckLoad(client, { perSecond: 200, headersOf })
    const servedFrom = await load.inARow(severalOfEach)
    await until(() => taken > 4 * clients.length, 'token requests past the first ones')
    dex.clearFaults()
    const backAt = performance.now()
    await load.inARow(severalOfEach)
    const answers = await load.stop()

    const { tokenRequests } = dex.counts
    const lines = linesOf(broker.process.log)
    printMeasured('half of the answers 500', {
      outcomes: tally(answers),
      tokenRequests,
      recovered: recoveryMs(answers, backAt),
      lines,
    })
    const known = ['200', '502 invalid_token_response', '503 overloaded']
    expect(unlike(answers, ({ outcome }) => known.includes(outcome))).toEqual([])
    expect(tally(answers.slice(servedFrom))).toEqual({ 200: answers.length - servedFrom })
    expect(answers.filter(({ isExpired }) => isExpired)).toEqual([])
    expect(tokenRequests).toBeLessThan(clients.length * 10)
    expect(lines).toBeLessThan(60)
  })
})

function is503({ outcome, retryAfter }: CheckAnswer): boolean {
  const codes = ['503 token_endpoint_unavailable', '503 overloaded']
  return codes.includes(outcome) && /^[1-5]$/.test(retryAfter ?? '')
}

function unlike(answers: readonly CheckAnswer[], expected: (answer: CheckAnswer) => boolean): CheckAnswer[] {
  return answers.filter(answer => !expected(answer))
}
