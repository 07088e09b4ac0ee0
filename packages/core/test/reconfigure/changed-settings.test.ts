import { describe, expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { createFetch } from '../../src/outbound/create-fetch.ts'
import type { Transport } from '../../src/shared/http/transport.ts'
import { billing, caughtUp, failureOf, orders, until } from '../broker-with-dex.ts'
import { HeldTransport, startReconfigurable } from './reconfigurable-broker.ts'

const start = (options: Partial<TokenBrokerOptions> = {}) =>
  startReconfigurable(dex => ({
    client: orders,
    jwksUri: dex.jwksUri,
    gate: { audience: 'svc' },
    ...options,
  }))

/** Scopes that Dex knows. */
const scopes = ['openid', 'email', 'profile', 'groups', 'openid email'] as const

describe('another timeout', () => {
  test('counts for the next request and keeps tokens, keys and circuits', async () => {
    await using running = await start()
    const { broker, dex, clock } = running
    const token = await broker.getToken()
    const jwt = dex.signJwt({ iss: dex.issuer, aud: 'svc', exp: clock.wall() / 1000 + 600 })
    await broker.verify(jwt)
    await caughtUp(dex)
    const { keysRequests } = dex.counts
    running.reconfigure({ requestTimeoutMs: 40 })
    expect(await broker.getToken()).toBe(token)
    dex.setFault('token', { kind: 'hang' })
    dex.setFault('keys', { kind: 'hang' })
    const failure = await failureOf(broker.getToken({ scope: 'groups' }))
    expect(failure).toMatchObject({
      message: 'the token endpoint timed out',
      upstreamRequest: { timeoutMs: 40 },
    })
    await broker.verify(jwt)
    expect(dex.counts.keysRequests).toBe(keysRequests)
    // The key set is too old now: its load has the new timeout as well.
    clock.advance(700_000)
    const late = dex.signJwt({ iss: dex.issuer, aud: 'svc', exp: clock.wall() / 1000 + 600 })
    await broker.verify(late)
    expect(
      running.log.lines.find(({ message }) => message.startsWith('key set refresh failed')),
    ).toMatchObject({
      fields: { timeoutMs: 40 },
    })
  })

  test('counts for the wait of the next check', async () => {
    await using running = await start({ gate: undefined, jwksUri: undefined })
    running.dex.setFault('token', { kind: 'hang' })
    running.reconfigure({ requestTimeoutMs: 30 })
    expect(await running.broker.check({ headers: [] })).toMatchObject({ code: 'token_endpoint_unavailable' })
  })

  test('counts for the wait for a slot', async () => {
    await using running = await start({ maxConnections: 1 })
    const { broker, dex } = running
    dex.setFault('token', { kind: 'hang' })
    const first = failureOf(broker.getToken())
    await until(() => dex.counts.tokenRequests === 1)
    running.reconfigure({ maxConnections: 1, requestTimeoutMs: 30 })
    expect(await failureOf(broker.getToken({ scope: 'groups' }))).toMatchObject({
      message: 'too many token requests',
    })
    await broker.close()
    await first
  })
})

describe('another transport', () => {
  test('sends the next request, and tokens, keys and circuits stay', async () => {
    const seen: string[] = []
    const transport: Transport = (url, request) => {
      seen.push(`${request.headers['user-agent']} ${new URL(url).pathname}`)
      return fetch(url, request)
    }
    await using running = await start()
    const { broker, dex, clock } = running
    const token = await broker.getToken()
    const jwt = dex.signJwt({ iss: dex.issuer, aud: 'svc', exp: clock.wall() / 1000 + 600 })
    await broker.verify(jwt)
    running.reconfigure({ transport, userAgent: 'other/1' })
    expect(await broker.getToken()).toBe(token)
    await broker.verify(jwt)
    expect(seen).toEqual([])
    await broker.getToken({ scope: 'groups' })
    clock.advance(700_000)
    await broker.verify(dex.signJwt({ iss: dex.issuer, aud: 'svc', exp: clock.wall() / 1000 + 600 }))
    expect(seen).toEqual(['other/1 /dex/token', 'other/1 /dex/keys'])
  })

  test('sends the token requests of later calls, also while one by the old transport hangs', async () => {
    const held = new HeldTransport()
    await using running = await start({ gate: undefined, jwksUri: undefined, transport: held.transport })
    const { broker } = running
    held.hold()
    const early = broker.getToken()
    await until(() => held.waiting === 1)
    running.reconfigure({ transport: undefined })
    const late = await broker.getToken()
    expect(broker.peekToken()).toBe(late)
    held.release()
    expect((await early).accessToken).not.toBe(late.accessToken)
  })

  test('of one issuer sends its next request, and its keys stay', async () => {
    const seen: string[] = []
    const transport: Transport = (url, request) => {
      seen.push(new URL(url).pathname)
      return fetch(url, request)
    }
    await using running = await start({ gate: undefined })
    const { broker, dex, clock } = running
    const issuers = (own: Transport | undefined) => [
      { name: 'dex', issuer: dex.issuer, jwksUri: `${dex.jwksUri}?other`, transport: own },
    ]
    const jwt = () => dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 600 })
    running.reconfigure({ issuers: issuers(undefined) })
    await broker.verify(jwt())
    const { keysRequests } = dex.counts
    running.reconfigure({ issuers: issuers(transport) })
    await broker.verify(jwt())
    expect([dex.counts.keysRequests, seen]).toEqual([keysRequests, []])
    clock.advance(700_000)
    await broker.verify(jwt())
    expect(seen).toEqual(['/dex/keys'])
    running.reconfigure({ issuers: issuers(undefined) })
    clock.advance(700_000)
    await broker.verify(jwt())
    expect(seen).toEqual(['/dex/keys'])
  })
})

describe('other headers', () => {
  test('drop the cached tokens, which carry the old ones', async () => {
    await using running = await start({ gate: undefined })
    const { broker, dex, log } = running
    const old = await broker.getToken()
    const tokenHeaders = { access_token: 'x-access-token', expires_in: 'x-expires-in' }
    running.reconfigure({ authorizationHeader: 'x-authorization', tokenHeaders })
    expect(broker.cacheStatistics.entries).toBe(0)
    expect(log.lines.at(-1)).toMatchObject({ message: 'reconfigured', fields: { droppedTokens: 1 } })
    const { headers, accessToken } = await broker.getToken()
    expect(headers).toEqual({
      'x-authorization': `Bearer ${accessToken}`,
      'x-access-token': accessToken,
      'x-expires-in': expect.stringMatching(/^\d+$/),
    })
    expect(old.headers).toEqual({ authorization: `Bearer ${old.accessToken}` })
    expect(dex.counts.tokenRequests).toBe(2)
  })

  test('are those of the broker from then on, frozen', async () => {
    await using running = await start()
    const { broker } = running
    expect([broker.authorizationHeader, broker.tokenHeaders]).toEqual(['authorization', ['authorization']])
    running.reconfigure({
      authorizationHeader: 'x-authorization',
      tokenHeaders: { access_token: 'x-access-token' },
      credentialHeaders: { clientId: 'x-id', strip: true },
    })
    expect(broker.authorizationHeader).toBe('x-authorization')
    expect(broker.tokenHeaders).toEqual(['x-authorization', 'x-access-token'])
    expect(broker.credentialHeaders).toEqual(['x-id', 'x-client-secret', 'x-scope', 'authorization'])
    expect([broker.tokenHeaders, broker.credentialHeaders].map(Object.isFrozen)).toEqual([true, true])
    running.reconfigure({ credentialHeaders: { strip: false } })
    expect(broker.credentialHeaders).toEqual([])
  })

  test('are not those of a token that was requested before: it goes to its own callers alone', async () => {
    const held = new HeldTransport()
    await using running = await start({ gate: undefined, jwksUri: undefined, transport: held.transport })
    const { broker, dex } = running
    held.hold()
    const early = broker.getToken()
    await until(() => held.waiting === 1)
    running.reconfigure({ tokenHeaders: { access_token: 'x-access-token' } })
    const late = broker.getToken()
    await until(() => held.waiting === 2)
    held.release()
    expect(Object.keys((await early).headers)).toEqual(['authorization'])
    expect(Object.keys((await late).headers)).toEqual(['authorization', 'x-access-token'])
    expect(await broker.getToken()).toBe(await late)
    expect(dex.counts.tokenRequests).toBe(2)
  })

  test('are not those of a token whose request ends after the one for the new headers', async () => {
    const held = new HeldTransport()
    await using running = await start({ gate: undefined, jwksUri: undefined, transport: held.transport })
    const { broker, dex } = running
    held.hold()
    const early = broker.getToken()
    await until(() => held.waiting === 1)
    running.reconfigure({ authorizationHeader: 'x-authorization', transport: held.transport })
    const late = broker.getToken()
    await until(() => held.waiting === 2)
    held.releaseLast()
    expect(Object.keys((await late).headers)).toEqual(['x-authorization'])
    held.release()
    expect(Object.keys((await early).headers)).toEqual(['authorization'])
    expect(await broker.getToken()).toBe(await late)
    expect(dex.counts.tokenRequests).toBe(2)
  })

  test('are the ones that a fetch looks for in the calls of its caller', async () => {
    await using running = await start({ gate: undefined })
    const sent: (string | null)[] = []
    const send = createFetch(running.broker, {
      allow: ['https://api.example.com'],
      fetch: async (_input, init) => {
        const headers = new Headers(init?.headers)
        sent.push(headers.get('x-authorization'))
        return new Response()
      },
    })
    const call = () => send('https://api.example.com', { headers: { 'x-authorization': 'own' } })
    await call()
    running.reconfigure({ authorizationHeader: 'x-authorization' })
    await call()
    // Now it is the caller's own authorization, which stays.
    expect(sent).toEqual(['own', 'own'])
    await send('https://api.example.com')
    expect(sent.at(-1)).toMatch(/^Bearer /)
  })
})

describe('another size of the cache', () => {
  const client = (scope: string) => ({ ...billing, scope })

  test('keeps the tokens that fit, and evicts the ones that expire soonest', async () => {
    await using running = await start({ gate: undefined })
    const { broker, dex, clock } = running
    for (const scope of scopes) {
      await broker.getToken(client(scope))
      clock.advance(1_000)
    }
    running.reconfigure({ cacheMaxEntries: 3 })
    expect(broker.cacheStatistics).toMatchObject({ entries: 3, evictions: 2 })
    const cached = () => scopes.map(scope => broker.peekToken(client(scope)) !== undefined)
    expect(cached()).toEqual([false, false, true, true, true])
    await broker.getToken(client('openid groups'))
    expect(broker.cacheStatistics).toMatchObject({ entries: 3, evictions: 3 })
    running.reconfigure({ cacheMaxEntries: 10 })
    expect(cached()).toEqual([false, false, false, true, true])
    for (const scope of scopes) await broker.getToken(client(scope))
    expect(broker.cacheStatistics).toMatchObject({ entries: 6, evictions: 3 })
    expect(dex.counts.tokenRequests).toBe(9)
  })

  test('of 0 turns it off, and back on', async () => {
    await using running = await start({ gate: undefined })
    const { broker } = running
    await broker.getToken()
    running.reconfigure({ cacheMaxEntries: 0 })
    expect(broker.peekToken()).toBeUndefined()
    await broker.getToken()
    expect(broker.cacheStatistics.entries).toBe(0)
    running.reconfigure()
    const token = await broker.getToken()
    expect(broker.peekToken()).toBe(token)
  })
})

test('other limits of life count for tokens that are issued later', async () => {
  await using running = await start({ gate: undefined })
  const { broker, clock } = running
  const old = await broker.getToken()
  running.reconfigure({ maxTokenAgeMs: 60_000 })
  const short = await broker.getToken({ scope: 'groups' })
  clock.advance(60_000)
  expect(broker.peekToken()).toBe(old)
  expect(broker.peekToken({ scope: 'groups' })).toBeUndefined()
  expect(await broker.getToken({ scope: 'groups' })).not.toBe(short)
})

test('another number of waiting callers counts for the next one', async () => {
  await using running = await start({ gate: undefined })
  const { broker, dex } = running
  dex.setFault('token', { kind: 'hang' })
  const waiting = [failureOf(broker.getToken()), failureOf(broker.getToken())]
  running.reconfigure({ maxWaitingCallers: 2 })
  expect(await failureOf(broker.getToken())).toMatchObject({ message: 'too many callers are waiting' })
  running.reconfigure({ maxWaitingCallers: 3 })
  waiting.push(failureOf(broker.getToken()))
  await broker.close()
  expect((await Promise.all(waiting)).map(({ message }) => message)).toEqual(
    Array(3).fill('the broker is closed'),
  )
})

test('another time for rejections forgets those that are remembered', async () => {
  await using running = await start({ gate: undefined })
  const { broker, dex } = running
  const wrong = { clientId: 'orders', clientSecret: 'wrong' }
  await failureOf(broker.getToken(wrong))
  running.reconfigure({ negativeCacheTtlMs: 0 })
  await failureOf(broker.getToken(wrong))
  await failureOf(broker.getToken(wrong))
  expect(dex.counts.tokenRequests).toBe(3)
})

test('the clock, the log and the observer stay those of the constructor', async () => {
  await using running = await start()
  const lines: string[] = []
  const note = (_fields: object, message: string) => lines.push(message)
  running.reconfigure({
    logger: { debug: note, info: note, warn: note, error: note },
    observe: () => lines.push('event'),
    clock: { wall: () => 0, monotonic: () => 0 },
  })
  const token = await running.broker.getToken()
  expect(token.expiresAt).toBeGreaterThan(running.clock.wall())
  expect(lines).toEqual([])
  running.broker.logger.info({ of: 'this' }, 'a line')
  expect(running.log.lines.at(-1)).toEqual({ level: 'info', message: 'a line', fields: { of: 'this' } })
  expect(lines).toEqual([])
})
