import { describe, expect, test } from 'vitest'
import type { BrokerStatus, IssuerStatus } from '../../src/index.ts'
import { billing, caughtUp, failureOf, orders, startBrokerWithDex, until } from '../broker-with-dex.ts'

const secondMs = 1_000
const hourMs = 3_600_000

function issuer(status: BrokerStatus, name = 'own dex'): IssuerStatus {
  const found = status.issuers.find(each => each.name === name)
  if (found === undefined) throw new Error(`there is no issuer ${name}`)
  return found
}

describe('the status of a broker', () => {
  test('asks nobody anything, and knows nothing before the first use', async () => {
    await using running = await startBrokerWithDex(({ issuer }) => ({
      issuer,
      tokenEndpoint: undefined,
      client: orders,
      gate: {},
    }))
    const { broker, dex, clock } = running
    const status = broker.status()
    await caughtUp(dex)
    expect(dex.counts).toMatchObject({ tokenRequests: 0, keysRequests: 0, discoveryRequests: 0 })
    expect(status.at).toBe(clock.wall())
    expect(status.issuers).toMatchObject([
      {
        name: 'own dex',
        issuer: dex.issuer,
        isOfCallers: false,
        discovery: { url: dex.discoveryUri, loadedAt: undefined, outage: undefined, isLoading: false },
        tokenEndpoint: {
          url: undefined,
          circuits: { accepted: { state: 'closed', since: undefined, lastAnswerAt: undefined } },
          running: 0,
          waiting: 0,
        },
        keySet: { url: undefined, keys: 0, kids: [], loadedAt: undefined, refreshAt: undefined },
        keysOf: 'own dex',
        clockSkew: undefined,
      },
      {
        name: 'default',
        isOfCallers: true,
        tokenEndpoint: undefined,
        keySet: undefined,
        keysOf: 'own dex',
      },
    ])
    expect(status.clients).toEqual([
      {
        name: 'default',
        clientId: 'orders',
        issuer: 'own dex',
        scope: '',
        token: undefined,
        lastIssuedAt: undefined,
        circuit: undefined,
        outage: undefined,
      },
    ])
    expect(status.sharedStore).toBeUndefined()
  })

  test('is plain data', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    await running.broker.getToken()
    const status = running.broker.status()
    expect(structuredClone(status)).toEqual(status)
  })

  test('tells of a cached token when it expires, when it is replaced, and when it was issued', async () => {
    await using running = await startBrokerWithDex({
      client: { ...orders, scope: 'openid', audiences: ['billing'] },
      random: () => 0,
      expirySafetyMarginMs: 30 * secondMs,
    })
    const { broker, clock } = running
    const issuedAt = clock.wall()
    const token = await broker.getToken()
    clock.advance(secondMs)
    expect(broker.status().clients).toMatchObject([
      {
        scope: 'openid audience:server:client_id:billing',
        lastIssuedAt: issuedAt,
        token: {
          expiresAt: token.expiresAt,
          usableUntil: token.expiresAt - 30 * secondMs,
          refreshAt: issuedAt + 0.8 * (token.expiresAt - issuedAt - 30 * secondMs),
          stale: false,
        },
      },
    ])
    clock.advance(hourMs - 20 * secondMs)
    expect(broker.status().clients[0]?.token).toMatchObject({ stale: true })
  })

  test('tells of an outage of Dex since when it lasts, why, and what to do; and when it was over', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const { broker, dex, clock } = running
    await broker.getToken({ scope: 'openid' })
    const answeredAt = clock.wall()
    clock.advance(10 * secondMs)
    const since = clock.wall()
    dex.setFault('token', { kind: 'reset' })
    // Three attempts, then two that open the circuit.
    await failureOf(broker.getToken())
    clock.advance(secondMs)
    await failureOf(broker.getToken())
    const outage = {
      since,
      until: undefined,
      failedAttempts: 5,
      failedLookups: 2,
      lastFailedAt: since + secondMs,
      lastFailure: {
        code: 'token_endpoint_unavailable',
        cause: 'ECONNRESET',
        hint: expect.stringContaining('the connection was closed before the response'),
        url: dex.tokenEndpoint,
      },
    }
    const failing = broker.status()
    expect(issuer(failing).tokenEndpoint?.circuits.accepted).toMatchObject({
      state: 'closed',
      lastAnswerAt: answeredAt,
      outage,
    })
    // Only one client has asked: its own circuit is open, and not the one of all.
    expect(failing.clients[0]?.circuit).toMatchObject({
      state: 'open',
      since: since + secondMs,
      nextProbeAt: since + 2 * secondMs,
    })
    expect(failing.clients[0]?.outage).toMatchObject({ ...outage, failedAttempts: 2 })
    expect((await failureOf(broker.getToken())).code).toBe('overloaded')
    expect(broker.status().clients[0]?.outage).toMatchObject({ failedAttempts: 2, failedLookups: 3 })
    dex.clearFaults()
    clock.advance(secondMs)
    await broker.getToken()
    const recovered = broker.status()
    const until = clock.wall()
    expect(recovered.clients[0]).toMatchObject({
      lastIssuedAt: until,
      circuit: { state: 'closed', since: until, nextProbeAt: undefined },
      outage: { since, until, failedAttempts: 2 },
    })
    expect(issuer(recovered).tokenEndpoint?.circuits.accepted).toMatchObject({
      lastAnswerAt: until,
      outage: { since, until },
    })
  })

  test('tells of a circuit that it is probing, while one request is under way', async () => {
    await using running = await startBrokerWithDex({ client: orders, clients: { billing } })
    const { broker, dex, clock } = running
    dex.setFault('token', { kind: 'reset' })
    await Promise.all([failureOf(broker.getToken()), failureOf(broker.getToken({ client: 'billing' }))])
    const { accepted } = issuer(broker.status()).tokenEndpoint?.circuits ?? {}
    expect(accepted).toMatchObject({
      state: 'open',
      since: clock.wall(),
      nextProbeAt: clock.wall() + secondMs,
      outage: { lastFailure: { code: 'token_endpoint_unavailable', cause: 'ECONNRESET' } },
    })
    clock.advance(secondMs)
    dex.setFault('token', { kind: 'hang' })
    dex.resetRecords()
    const waiting = Promise.allSettled([broker.getToken()])
    await until(() => dex.counts.tokenRequests === 1)
    const probing = broker.status()
    expect(issuer(probing).tokenEndpoint).toMatchObject({
      circuits: { accepted: { state: 'probing', since: clock.wall() - secondMs } },
      running: 1,
      waiting: 0,
    })
    expect(probing.work).toMatchObject({ tokensInFlight: 1, waitingCallers: 1 })
    await broker.close()
    await waiting
    expect(broker.status().work).toMatchObject({ tokensInFlight: 0, waitingCallers: 0 })
  })

  test('tells of a configured client that Dex refuses it, until a token for any scope', async () => {
    await using running = await startBrokerWithDex({
      client: { clientId: 'orders', clientSecret: 'wrong' },
      clients: { billing },
    })
    const { broker, dex, clock } = running
    const since = clock.wall()
    await failureOf(broker.getToken())
    // The rejection is remembered: no request, and one more lookup that failed.
    await failureOf(broker.getToken())
    await broker.getToken({ client: 'billing' })
    expect(broker.status().clients).toMatchObject([
      {
        name: 'default',
        lastIssuedAt: undefined,
        outage: {
          since,
          until: undefined,
          failedAttempts: 1,
          failedLookups: 2,
          lastFailure: {
            code: 'client_misconfigured',
            hint: 'set client.clientSecret to the secret that Dex has for the client in client.clientId',
          },
        },
      },
      { name: 'billing', lastIssuedAt: since, outage: undefined },
    ])
    // Dex answered: it is not Dex that fails.
    expect(issuer(broker.status()).tokenEndpoint?.circuits.accepted).toMatchObject({
      lastAnswerAt: since,
      outage: undefined,
    })
    dex.setClientSecret('orders', 'wrong')
    clock.advance(10 * secondMs)
    await broker.getToken({ scope: 'openid' })
    expect(broker.status().clients[0]?.outage).toMatchObject({ since, until: clock.wall() })
  })

  test('tells of key set and discovery how old they are, and why they cannot be loaded', async () => {
    await using running = await startBrokerWithDex(({ issuer }) => ({
      issuer,
      tokenEndpoint: undefined,
      gate: { jwksMaxAgeMs: 600_000, jwksMaxStaleMs: hourMs },
    }))
    const { broker, dex, clock } = running
    await dex.rotateKeys()
    const since = clock.wall()
    dex.setFault('discovery', { kind: 'html', status: 503 })
    await failureOf(broker.verify(dex.signJwt({ iss: dex.issuer, exp: since / 1000 + 60 })))
    expect(issuer(broker.status())).toMatchObject({
      discovery: {
        loadedAt: undefined,
        isLoading: false,
        nextAttemptAt: since + secondMs,
        outage: { since, failedAttempts: 1, lastFailure: { code: 'token_endpoint_unavailable' } },
      },
      keySet: { keys: 0, outage: { since, lastFailure: { hint: expect.stringContaining('issuer') } } },
    })
    dex.clearFaults()
    clock.advance(secondMs)
    const loadedAt = clock.wall()
    await broker.verify(dex.signJwt({ iss: dex.issuer, sub: 'alice', exp: since / 1000 + 60 }))
    const loaded = broker.status()
    expect(issuer(loaded)).toMatchObject({
      discovery: { loadedAt, nextAttemptAt: undefined, outage: { since, until: loadedAt } },
      tokenEndpoint: { url: dex.tokenEndpoint },
      keySet: {
        url: dex.jwksUri,
        keys: 2,
        kids: dex.publishedKids,
        unusable: [],
        loadedAt,
        refreshAt: loadedAt + 480_000,
        usableUntil: loadedAt + hourMs,
      },
    })
    expect(loaded.caches.verifiedJwts).toMatchObject({ entries: 1 })
  })

  test('names the issuers of callers, and which of them have keys of their own', async () => {
    await using other = await startBrokerWithDex()
    await using running = await startBrokerWithDex(({ issuer }) => ({
      issuer,
      tokenEndpoint: undefined,
      issuers: [
        { name: 'same', issuer, audiences: ['a'] },
        { name: 'other', issuer: other.dex.issuer, audiences: ['b'] },
      ],
      clients: { reports: { ...orders, dex: 'other' } },
    }))
    await running.broker.getToken({ client: 'reports' })
    const status = running.broker.status()
    expect(status.issuers.map(({ name, keysOf }) => [name, keysOf])).toEqual([
      ['own dex', 'own dex'],
      ['same', 'own dex'],
      ['other', 'other'],
    ])
    expect(issuer(status, 'other').tokenEndpoint).toMatchObject({
      url: other.dex.tokenEndpoint,
      circuits: { accepted: { lastAnswerAt: status.at } },
    })
    expect(status.clients).toMatchObject([{ name: 'reports', issuer: 'other', lastIssuedAt: status.at }])
  })

  test("counts callers' own clients, and names none of them", async () => {
    await using running = await startBrokerWithDex()
    const { broker } = running
    await Promise.all([orders, billing].map(client => broker.getToken(client)))
    await broker.getToken({ ...orders, scope: 'openid' })
    await failureOf(broker.getToken({ clientId: 'intruder', clientSecret: 'x' }))
    const status = broker.status()
    expect(status.caches.tokens).toMatchObject({ entries: 3, owners: 2, misses: 4, hits: 0 })
    expect(status.clients).toEqual([])
    expect(JSON.stringify(status)).not.toMatch(/orders|billing|intruder/)
  })

  test('forgets with a new configuration the clients that are gone, and keeps the others', async () => {
    await using running = await startBrokerWithDex({ client: orders, clients: { billing } })
    const { broker, dex } = running
    await broker.getToken()
    await broker.getToken({ client: 'billing' })
    const [before] = broker.status().clients
    broker.reconfigure({ tokenEndpoint: dex.tokenEndpoint, client: orders })
    expect(broker.status().clients).toEqual([before])
    broker.reconfigure({ tokenEndpoint: dex.tokenEndpoint, client: orders, clients: { billing } })
    expect(broker.status().clients[1]).toMatchObject({ name: 'billing', lastIssuedAt: undefined })
  })

  test('has a client of which requests bring the secret, without a token', async () => {
    await using running = await startBrokerWithDex({ client: { clientId: 'orders' } })
    expect(running.broker.status().clients).toMatchObject([
      { name: 'default', clientId: 'orders', scope: undefined, token: undefined },
    ])
  })
})
