import { setTimeout as delay } from 'node:timers/promises'
import { type DevDex, startDevDex } from '@broker/dev-dex'
import { type BrokerProcess, startBroker } from '@broker/testing'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { CheckClient, CheckLoad, printMeasured, recoveryMs, tally } from './checks.ts'

const brokersClient = { id: 'broker', secret: 'broker-secret' }
const audience = 'orders'
/** Each makes a key of its own. */
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
  return startDevDex({ clients: [brokersClient], algorithm: 'ES256' })
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
}, 20_000)

test('while keys rotate every second, known keys pass and a new one waits for the cool-down at most', async () => {
  await using dex = await startGatedDex()
  await using broker = await startGatedBroker(dex)
  using client = new CheckClient(broker.port)
  const firstJwt = jwtOf(dex)
  const startedAt = performance.now()
  await client.ask(headersWith(firstJwt))
  await using known = new CheckLoad(client, { perSecond: 50, headersOf: () => headersWith(firstJwt) })
  await using newest = new CheckLoad(client, { perSecond: 50, headersOf: () => headersWith(jwtOf(dex)) })
  for (let second = 0; second < 13; second++) {
    await dex.rotateKeys()
    await delay(1_000)
  }
  const rotatedAt = performance.now()
  while (newest.answers.at(-1)?.outcome !== '200' && performance.now() - rotatedAt < 11_000) await delay(50)
  const waitedMs = performance.now() - rotatedAt
  const [knownAnswers, newestAnswers] = [await known.stop(), await newest.stop()]

  const seconds = (performance.now() - startedAt) / 1000
  const { keysRequests, tokenRequests } = dex.counts
  printMeasured('keys rotating every second', {
    knownKey: tally(knownAnswers),
    newestKey: tally(newestAnswers),
    seconds,
    keysRequests,
    tokenRequests,
    waitedMs,
  })
  expect(tally(knownAnswers)).toEqual({ 200: knownAnswers.length })
  expect(keysRequests).toBeLessThanOrEqual(2 + seconds / 10)
  expect(tokenRequests).toBe(1)
  expect(waitedMs).toBeLessThan(11_000)
}, 40_000)

test('while the key set cannot be had, checks pass until its bound, then they are 503 and never 401', async () => {
  await using dex = await startGatedDex()
  await using broker = await startGatedBroker(dex, { JWKS_MAX_AGE: '2s', JWKS_MAX_STALE: '5s' })
  using client = new CheckClient(broker.port)
  const jwt = jwtOf(dex)
  await client.ask(headersWith(jwt))
  dex.setFault('keys', { kind: 'reset' })
  const loadedAt = performance.now()
  await using load = new CheckLoad(client, { perSecond: 100, headersOf: () => headersWith(jwt) })
  await delay(9_000)
  dex.clearFaults()
  const backAt = performance.now()
  while (load.answers.at(-1)?.outcome !== '200' && performance.now() - backAt < 16_000) await delay(50)
  await delay(500)
  const answers = await load.stop()

  const refused = answers.filter(({ outcome }) => outcome !== '200')
  const firstRefusalMs = Math.min(...refused.map(({ askedAt }) => askedAt - loadedAt))
  const recovered = recoveryMs(answers, backAt)
  const { keysRequests } = dex.counts
  printMeasured('the key set cannot be had for 9 s', {
    outcomes: tally(answers),
    firstRefusalMs,
    recovered,
    keysRequests,
  })
  expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(['200', '503 jwks_unavailable']))
  for (const { retryAfter } of refused) expect(Number(retryAfter)).toBeGreaterThanOrEqual(1)
  expect(firstRefusalMs).toBeGreaterThan(4_000)
  expect(firstRefusalMs).toBeLessThan(6_000)
  // Each try that fails doubles the pause, from one second to fifteen.
  expect(recovered).toBeLessThan(9_000)
  expect(keysRequests).toBeLessThan(10)
}, 40_000)

test('1,000 junk keys a second delay a rotation by the cool-down at most, and cost one request in it', async () => {
  await using dex = await startGatedDex()
  await using broker = await startGatedBroker(dex)
  using client = new CheckClient(broker.port)
  await client.ask(headersWith(jwtOf(dex)))
  const startedAt = performance.now()
  await using junk = new CheckLoad(client, {
    perSecond: 1_000,
    headersOf: index => headersWith(jwtOf(dex, { kid: `junk-${index}` })),
  })
  await delay(2_000)
  await dex.rotateKeys()
  const rotatedAt = performance.now()
  let outcome = ''
  while (outcome !== '200' && performance.now() - rotatedAt < 15_000) {
    outcome = (await client.ask(headersWith(jwtOf(dex)))).outcome
    await delay(50)
  }
  const delayedMs = performance.now() - rotatedAt
  const answers = await junk.stop()
  const seconds = (performance.now() - startedAt) / 1000
  const { keysRequests } = dex.counts
  printMeasured('junk keys', { outcomes: tally(answers), seconds, delayedMs, keysRequests })
  expect(tally(answers)).toEqual({ '401 invalid_token': answers.length })
  expect(outcome).toBe('200')
  expect(delayedMs).toBeLessThan(11_000)
  expect(keysRequests).toBeLessThanOrEqual(2 + seconds / 10)
}, 40_000)
