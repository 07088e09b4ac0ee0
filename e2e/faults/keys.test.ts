import { type DevDex, startDevDex } from '@broker/dev-dex'
import { type BrokerProcess, startBroker, until } from '@broker/testing'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { CheckClient, CheckLoad, printMeasured, recoveryMs, tally } from './checks.ts'

const brokersClient = { id: 'broker', secret: 'broker-secret' }
const audience = 'orders'
/** Each has its own key. */
const scopes = [
  'openid',
  'email',
  'profile',
  'groups',
  'openid email',
  'openid profile',
  'openid groups',
  'email profile',
]

/** Dex is the issuer of the callers' JWTs, too. */
function startGatedBroker(
  dex: DevDex,
  environment: Readonly<Record<string, string>> = {},
): Promise<BrokerProcess> {
  return startBroker({
    DEX_TOKEN_URL: dex.tokenEndpoint,
    STATIC_CLIENT_ID: brokersClient.id,
    STATIC_CLIENT_SECRET: brokersClient.secret,
    JWKS_URL: dex.jwksUri,
    JWT_ISSUER: dex.issuer,
    JWT_AUDIENCE: audience,
    ...environment,
  })
}

function startGatedDex(): Promise<DevDex> {
  return startDevDex({ algorithm: 'ES256', clients: [brokersClient] })
}

function jwtOf(dex: DevDex, header: Readonly<Record<string, unknown>> = {}): string {
  const now = Math.floor(Date.now() / 1000)
  return dex.signJwt({ iss: dex.issuer, aud: audience, sub: 'alice', iat: now, exp: now + 600 }, { header })
}

function headersWith(jwt: string, index = 0): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${jwt}`, 'x-scope': scopes[index % scopes.length] as string }
}

test('after Dex lost its keys, the first checks get tokens that a backend accepts, each asked for once', async () => {
  await using dex = await startGatedDex()
  await using broker = await startGatedBroker(dex)
  using client = new CheckClient(broker.port)
  const before = await Promise.all(scopes.map((_, index) => client.ask(headersWith(jwtOf(dex), index))))
  await dex.restart()
  dex.resetRecords()
  const keySet = createLocalJWKSet((await (await fetch(dex.jwksUri)).json()) as JSONWebKeySet)
  const after = await Promise.all(
    Array.from({ length: 400 }, (_, index) => client.ask(headersWith(jwtOf(dex), index))),
  )

  const tokens = new Set(after.map(({ token }) => token ?? ''))
  const { tokenRequests, keysRequests } = dex.counts
  printMeasured('Dex restarted with new keys', {
    before: tally(before),
    after: tally(after),
    tokenRequests,
    keysRequests: keysRequests - 1,
  })
  expect(tally(before)).toEqual({ 200: scopes.length })
  expect(tally(after)).toEqual({ 200: 400 })
  for (const token of tokens) await expect(jwtVerify(token, keySet)).resolves.toBeDefined()
  expect(tokenRequests).toBe(scopes.length)
  expect(keysRequests - 1).toBe(1)
  expect(broker.process.log).toContain('tokens dropped: the key that signed them is gone')
})

// Each test has a Dex and a broker to itself, and mostly waits: they run side by side.
describe.concurrent('keys that come late', () => {
  test('while keys rotate, known keys pass and a new one waits for the cool-down at most', async ({
    expect,
  }) => {
    await using dex = await startGatedDex()
    await using broker = await startGatedBroker(dex)
    using client = new CheckClient(broker.port)
    const firstJwt = jwtOf(dex)
    const startedAt = performance.now()
    await client.ask(headersWith(firstJwt))
    await using known = new CheckLoad(client, { perSecond: 50, headersOf: () => headersWith(firstJwt) })
    await using newest = new CheckLoad(client, { perSecond: 50, headersOf: () => headersWith(jwtOf(dex)) })
    // The first new key is looked for at once, those after it when the cool-down is over.
    for (let rotation = 0; rotation < 4; rotation++) {
      await dex.rotateKeys()
      await newest.answered(25)
    }
    const rotatedAt = performance.now()
    await until(() => newest.answers.at(-1)?.outcome === '200', 'a check with the newest key that passes')
    const waitedMs = performance.now() - rotatedAt
    const [knownAnswers, newestAnswers] = [await known.stop(), await newest.stop()]

    const { keysRequests, tokenRequests } = dex.counts
    printMeasured('rotating keys', {
      knownKey: tally(knownAnswers),
      newestKey: tally(newestAnswers),
      keysRequests,
      tokenRequests,
      waitedMs,
    })
    expect(tally(knownAnswers)).toEqual({ 200: knownAnswers.length })
    expect(tally(newestAnswers)['401 invalid_token']).toBeGreaterThan(0)
    expect(keysRequests).toBeLessThanOrEqual(2 + secondsSince(startedAt) / 10)
    expect(tokenRequests).toBe(1)
  })

  test('while the key set is unavailable, checks pass until its bound, then they are 503 and never 401', async ({
    expect,
  }) => {
    const maxStaleMs = 3_000
    await using dex = await startGatedDex()
    const startedAt = performance.now()
    await using broker = await startGatedBroker(dex, {
      JWKS_MAX_AGE: '1s',
      JWKS_MAX_STALE: `${maxStaleMs}ms`,
    })
    using client = new CheckClient(broker.port)
    const jwt = jwtOf(dex)
    await client.ask(headersWith(jwt))
    const loadedAt = performance.now()
    dex.setFault('keys', { kind: 'reset' })
    await using load = new CheckLoad(client, { perSecond: 100, headersOf: () => headersWith(jwt) })
    await load.inARow(25, '503 jwks_unavailable')
    const down = load.answers.length
    dex.clearFaults()
    const backAt = performance.now()
    await load.inARow(25)
    const answers = await load.stop()

    const whileDown = answers.slice(0, down)
    const refused = answers.filter(({ outcome }) => outcome !== '200')
    const { keysRequests } = dex.counts
    printMeasured('the key set is unavailable', {
      outcomes: tally(answers),
      recovered: recoveryMs(answers, backAt),
      keysRequests,
    })
    expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(['200', '503 jwks_unavailable']))
    for (const { retryAfter } of refused) expect(Number(retryAfter)).toBeGreaterThanOrEqual(1)
    // A verdict falls between the moments in which its check is asked and answered. The key set was loaded between the start of the
    // broker, which loads it at once, and its first answer. So neither bound depends on how fast this machine is. The broker also looks
    // at the wall clock, which has whole milliseconds and is adjusted.
    const clockErrorMs = 5
    expect(
      refused.filter(answer => answer.askedAt + answer.tookMs < startedAt + maxStaleMs - clockErrorMs),
    ).toEqual([])
    expect(
      whileDown.filter(answer => answer.outcome === '200' && answer.askedAt > loadedAt + maxStaleMs),
    ).toEqual([])
    // Each try that fails doubles the pause, from one second on.
    expect(keysRequests).toBeLessThan(8)
  })

  test('300 junk keys a second delay a rotation by the cool-down at most, and cost one request in it', async ({
    expect,
  }) => {
    await using dex = await startGatedDex()
    await using broker = await startGatedBroker(dex)
    using client = new CheckClient(broker.port)
    const startedAt = performance.now()
    await client.ask(headersWith(jwtOf(dex)))
    await using junk = new CheckLoad(client, {
      perSecond: 300,
      headersOf: index => headersWith(jwtOf(dex, { kid: `junk-${index}` })),
    })
    await junk.answered(300)
    await dex.rotateKeys()
    const rotatedAt = performance.now()
    await until(
      async () => (await client.ask(headersWith(jwtOf(dex)))).outcome === '200',
      'a check with the new key that passes',
    )
    const delayedMs = performance.now() - rotatedAt
    const answers = await junk.stop()
    const { keysRequests } = dex.counts
    printMeasured('junk keys', { outcomes: tally(answers), delayedMs, keysRequests })
    expect(tally(answers)).toEqual({ '401 invalid_token': answers.length })
    expect(keysRequests).toBeLessThanOrEqual(2 + secondsSince(startedAt) / 10)
  })
})

/** The number of requests that an interval allows follows from how long it really was. */
function secondsSince(moment: number): number {
  return (performance.now() - moment) / 1000
}
