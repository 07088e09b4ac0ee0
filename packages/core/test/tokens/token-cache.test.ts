import { channel, tracingChannel } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { BearerToken } from '../../src/tokens/bearer-token.ts'
import { RefreshSchedule } from '../../src/tokens/cache/refresh-schedule.ts'
import { type CachedToken, TokenCache } from '../../src/tokens/cache/token-cache.ts'
import type { TokenLife } from '../../src/tokens/cache/token-life.ts'
import type { IssuedToken } from '../../src/tokens/issued-token.ts'
import { TokenHeaders } from '../../src/tokens/token-headers.ts'
import { billing, failureOf, orders, startBrokerWithDex } from '../broker-with-dex.ts'
import { cpuMsOf } from '../cpu-time.ts'
import { ManualClock } from '../manual-clock.ts'

function cached(token: IssuedToken, life: TokenLife, clock: ManualClock): CachedToken {
  const policy = { aheadRatio: 1, clock, random: Math.random }
  const refresh = new RefreshSchedule(policy, { from: 0, until: life.usableUntil })
  return { token, life, refresh, mark: undefined, signingKey: undefined }
}

function issue(accessToken: string, life: TokenLife, clock: ManualClock): IssuedToken {
  const response = { accessToken, expiresIn: undefined, answeredAt: undefined, fields: {} }
  return new BearerToken({
    response,
    life,
    key: '',
    clock,
    tokenHeaders: new TokenHeaders('authorization', []),
  })
}

interface Kept {
  readonly key: string
  readonly client: string
  readonly token: IssuedToken
  readonly until: number
}

/** The rule, as plainly as it can be said: who has to go from a full cache for a new token of a client. */
function leavingFor(client: string, kept: readonly Kept[], now: number): Kept {
  const soonestOf = (some: readonly Kept[]) => some.reduce((a, b) => (a.until <= b.until ? a : b))
  const soonest = soonestOf(kept)
  if (soonest.until <= now) return soonest
  const tokensOf = (name: string) => kept.filter(entry => entry.client === name)
  const most = Math.max(...kept.map(entry => tokensOf(entry.client).length))
  const own = tokensOf(client)
  // The new one counts, and where several hold as many its own client gives way.
  if (own.length > 0 && own.length + 1 >= most) return soonestOf(own)
  return soonestOf(kept.filter(entry => tokensOf(entry.client).length === most))
}

test('a full cache drops what has expired, else what expires soonest of the client that holds most', () => {
  const step = fc.oneof(
    fc.record({ set: fc.nat(9), of: fc.nat(4), lifeMs: fc.integer({ min: -5, max: 100 }) }),
    fc.record({ get: fc.nat(9), of: fc.nat(4) }),
    fc.record({ drop: fc.nat(9), of: fc.nat(4) }),
    fc.record({ advance: fc.integer({ min: 0, max: 40 }) }),
    fc.record({ cleanUp: fc.integer({ min: 0, max: 4 }) }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 150 }), (max, steps) => {
      const clock = new ManualClock()
      const cache = new TokenCache(max, clock)
      let model: Kept[] = []
      let evictions = 0
      let order = 0
      for (const step of steps) {
        if ('advance' in step) clock.advance(step.advance)
        else if ('cleanUp' in step) {
          const expired = model.filter(entry => entry.until <= clock.monotonic())
          const removed = cache.removeExpired(step.cleanUp)
          expect(removed).toBe(Math.min(expired.length, step.cleanUp))
          const goers = expired.sort((a, b) => a.until - b.until).slice(0, removed)
          // Which of two that expired together goes first does not matter, so both ways are the same to the model.
          model = model.filter(entry => !goers.includes(entry))
        } else if ('drop' in step) {
          const key = `key-${step.drop} of client-${step.of}`
          cache.delete(key)
          model = model.filter(entry => entry.key !== key)
        } else if ('set' in step) {
          const client = `client-${step.of}`
          const key = `key-${step.set} of ${client}`
          // No two lives end at the same moment, so that the model knows who goes.
          const lifeMs = step.lifeMs + ++order / 1_000
          const until = clock.monotonic() + lifeMs
          const life = {
            expiresAt: clock.wall() + lifeMs,
            from: 0,
            livesUntil: until,
            usableUntil: until,
            staleUntil: until,
          }
          const token = issue(`token-${order}`, life, clock)
          cache.set({ key, ownerKey: client }, cached(token, life, clock))
          if (until <= clock.monotonic()) continue
          const others = model.filter(entry => entry.key !== key)
          if (others.length === model.length && model.length === max) {
            const goes = leavingFor(client, others, clock.monotonic())
            if (goes.until > clock.monotonic()) evictions++
            others.splice(others.indexOf(goes), 1)
          }
          model = [...others, { key, client, token, until }]
        } else {
          const key = `key-${step.get} of client-${step.of}`
          const entry = model.find(entry => entry.key === key)
          const living = entry !== undefined && entry.until > clock.monotonic()
          expect(cache.get(key)?.token).toBe(living ? entry.token : undefined)
          if (!living) model = model.filter(entry => entry.key !== key)
        }
        expect(cache.size).toBe(model.length)
        expect(cache.evictions).toBe(evictions)
        expect(cache.size).toBeLessThanOrEqual(max)
        for (const { key, token } of model) expect(cache.find(key)?.token).toBe(token)
      }
    }),
    { numRuns: 500 },
  )
})

test('the key of a client is derived for a token that is new to the cache, and not again when it is replaced', () => {
  const clock = new ManualClock()
  const cache = new TokenCache(2, clock)
  const life = {
    from: 0,
    expiresAt: clock.wall() + 10,
    livesUntil: 6_000,
    usableUntil: 6_000,
    staleUntil: 6_000,
  }
  let derived = 0
  const order = {
    key: 'key',
    get ownerKey() {
      derived++
      return 'client'
    },
  }
  for (const accessToken of ['first', 'second']) {
    cache.set(order, cached(issue(accessToken, life, clock), life, clock))
    expect(cache.get('key')?.token.accessToken).toBe(accessToken)
  }
  expect(derived).toBe(1)
})

test('a full cache drops an expired token before a living one, and counts only living ones as evicted', () => {
  const clock = new ManualClock()
  const cache = new TokenCache(2, clock)
  const add = (key: string, lifeMs: number) => {
    const until = clock.monotonic() + lifeMs
    const life = {
      expiresAt: clock.wall() + lifeMs,
      from: 0,
      livesUntil: until,
      usableUntil: until,
      staleUntil: until,
    }
    cache.set({ key, ownerKey: 'orders' }, cached(issue(key, life, clock), life, clock))
  }
  add('long', 1_000)
  add('short', 10)
  clock.advance(20)
  add('new', 500)
  expect(cache.evictions).toBe(0)
  expect(cache.get('long')).toBeDefined()
  add('newer', 2_000)
  expect(cache.evictions).toBe(1)
  expect(cache.get('new')).toBeUndefined()
  expect(cache.get('long')).toBeDefined()
})

test.each([
  ['of as many clients', (index: number) => index],
  ['of one client', () => 0],
  ['of 32 clients', (index: number) => index % 32],
])('a full cache of 65,536 tokens %s takes new ones about as fast as a small one', (_, clientOf) => {
  const clock = new ManualClock()
  const timeOf = (max: number) => {
    const cache = new TokenCache(max, clock)
    const add = (index: number) => {
      const until = clock.monotonic() + 1_000 + index
      const life = {
        expiresAt: clock.wall() + 1_000 + index,
        from: 0,
        livesUntil: until,
        usableUntil: until,
        staleUntil: until,
      }
      const ownerKey = String(clientOf(index)).padStart(8, '0')
      cache.set({ key: `key-${index}`, ownerKey }, cached(issue('token', life, clock), life, clock))
    }
    for (let index = 0; index < max; index++) add(index)
    const cpuMs = cpuMsOf(() => {
      for (let index = max; index < max + 20_000; index++) add(index)
    })
    expect(cache.evictions).toBe(20_000)
    return cpuMs
  }
  timeOf(64)
  // A scan would take a thousand times as long.
  expect(timeOf(65_536)).toBeLessThan(60 * timeOf(64))
})

test('cacheMaxEntries 0 keeps nothing, and callers at the same time still share one request', async () => {
  await using running = await startBrokerWithDex({ client: orders, cacheMaxEntries: 0 })
  const tokens = await Promise.all(Array.from({ length: 100 }, () => running.broker.getToken()))
  expect(new Set(tokens).size).toBe(1)
  expect(running.dex.counts.tokenRequests).toBe(1)
  expect(running.broker.peekToken()).toBeUndefined()
  await running.broker.getToken()
  expect(running.dex.counts.tokenRequests).toBe(2)
  expect(running.broker.cacheStatistics).toMatchObject({ entries: 0, evictions: 0, hits: 0, misses: 101 })
})

test('expired tokens are cleaned up without anybody asking for them', async () => {
  await using running = await startBrokerWithDex({ cacheCleanupIntervalMs: 5 })
  await running.broker.getToken(orders)
  await running.broker.getToken(billing)
  expect(running.broker.cacheStatistics.entries).toBe(2)
  running.clock.advance(3_600_000)
  await vi.waitFor(() => expect(running.broker.cacheStatistics.entries).toBe(0))
})

test('hits and misses are counted once for each call', async () => {
  await using running = await startBrokerWithDex({ client: orders })
  await running.broker.getToken()
  await running.broker.getToken()
  await running.broker.check({ headers: [] })
  await running.broker.check({ headers: ['x-scope', 'groups'] })
  expect(running.broker.cacheStatistics).toEqual({ entries: 2, hits: 2, misses: 2, stale: 0, evictions: 0 })
})

test('whoever listens to the diagnostics channels of lru-cache sees no token and no secret', async () => {
  const seen: unknown[] = []
  const listen = (message: unknown) => seen.push(message)
  const tracing = tracingChannel<object>('lru-cache')
  const subscribers = { start: listen, end: listen, asyncStart: listen, asyncEnd: listen, error: listen }
  channel('lru-cache:metrics').subscribe(listen)
  tracing.subscribe(subscribers)
  try {
    await using running = await startBrokerWithDex({ tokenHeaders: { access_token: 'x-access-token' } })
    const token = await running.broker.getToken(orders)
    await running.broker.getToken(orders)
    await failureOf(running.broker.getToken({ ...orders, clientSecret: 'a-wrong-one' }))
    await failureOf(running.broker.getToken({ ...orders, clientSecret: 'a-wrong-one' }))
    expect(seen.length).toBeGreaterThan(2)
    const shown = seen
      .map(
        message => inspect(message, { showHidden: true, depth: 12, getters: true }) + JSON.stringify(message),
      )
      .join()
    expect(shown).not.toContain(token.accessToken)
    expect(shown).not.toContain('orders-secret')
    expect(shown).not.toContain('a-wrong-one')
  } finally {
    channel('lru-cache:metrics').unsubscribe(listen)
    tracing.unsubscribe(subscribers)
  }
})
