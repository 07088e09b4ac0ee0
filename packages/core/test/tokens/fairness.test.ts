import type { Fault } from '@broker/dev-dex'
import { describe, expect, test } from 'vitest'
import {
  type BrokerWithDex,
  billing,
  failureOf,
  orders,
  startBrokerWithDex,
  until,
} from '../broker-with-dex.ts'

const isOrders = (clientId: string) => clientId === 'orders'
const isStranger = (clientId: string) => clientId.startsWith('made-up')

/** One of the sixteen sets of scopes that Dex knows: each is another token. */
function scopeOf(number: number): string {
  return ['openid', 'email', 'profile', 'groups'].filter((_, bit) => (number >> bit) & 1).join(' ')
}

/** A client that nobody knows. */
const madeUp = (number: number) => ({ clientId: `made-up-${number}`, clientSecret: 'x' })

describe('a 429 of one client', () => {
  test('bars that client for as long as it says, and no other', async () => {
    await using running = await startBrokerWithDex()
    const { broker, dex, clock } = running
    dex.setFault('token', {
      kind: 'answer',
      status: 429,
      headers: { 'retry-after': '60' },
      forClient: isOrders,
    })
    expect(await failureOf(broker.getToken(orders))).toMatchObject({ status: 503, retryAfterMs: 60_000 })
    await expect(broker.getToken(billing)).resolves.toBeDefined()
    expect(await failureOf(broker.getToken({ ...orders, scope: 'groups' }))).toMatchObject({
      code: 'overloaded',
    })
    expect(dex.counts.tokenRequests).toBe(2)
    dex.clearFaults()
    clock.advance(60_000)
    await expect(broker.getToken(orders)).resolves.toBeDefined()
  })

  test('that does not say for how long bars that client for a second, and no other', async () => {
    await using running = await startBrokerWithDex()
    const { broker, dex, clock } = running
    dex.setFault('token', { kind: 'answer', status: 429, forClient: isOrders, times: 1 })
    expect((await failureOf(broker.getToken(orders))).code).toBe('token_endpoint_unavailable')
    await expect(broker.getToken(billing)).resolves.toBeDefined()
    expect((await failureOf(broker.getToken(orders))).code).toBe('overloaded')
    expect(dex.counts.tokenRequests).toBe(2)
    clock.advance(1_000)
    await expect(broker.getToken(orders)).resolves.toBeDefined()
  })

  test('and of a second client bars the endpoint for strangers, and not for clients that Dex has accepted', async () => {
    await using running = await startBrokerWithDex()
    const { broker, dex } = running
    await broker.getToken(billing)
    dex.setFault('token', {
      kind: 'answer',
      status: 429,
      headers: { 'retry-after': '60' },
      forClient: isStranger,
    })
    for (const number of [1, 2]) await failureOf(broker.getToken(madeUp(number)))
    const barred = await failureOf(broker.getToken(madeUp(3)))
    expect(barred.code).toBe('overloaded')
    // Not for the minute that the 429 asks for: made-up clients could renew it for ever.
    expect(barred.retryAfterMs).toBeLessThanOrEqual(4_000)
    expect(dex.counts.tokenRequests).toBe(3)
    await expect(broker.getToken({ ...billing, scope: 'groups' })).resolves.toBeDefined()
  })
})

describe('a client whose requests always fail', () => {
  test('costs Dex five requests and nobody else anything', async () => {
    await using running = await startBrokerWithDex({ requestTimeoutMs: 1_000 })
    const { broker, dex } = running
    dex.setFault('token', { kind: 'html', status: 500, forClient: isOrders })
    for (let second = 0; second < 15; second++) {
      await failureOf(broker.getToken(orders))
      await expect(broker.getToken({ ...billing, scope: scopeOf(second) })).resolves.toBeDefined()
    }
    expect(dex.counts.tokenRequests).toBe(5 + 15)
  })

  test('does not take every probe when two of them have opened the circuit of all', async () => {
    await using running = await startBrokerWithDex(
      {},
      {
        clients: [
          { id: 'orders', secret: 'orders-secret' },
          { id: 'billing', secret: 'billing-secret' },
          { id: 'stock', secret: 'stock-secret' },
        ],
      },
    )
    const { broker, dex, clock } = running
    const stock = { clientId: 'stock', clientSecret: 'stock-secret' }
    for (const client of [orders, billing, stock]) await broker.getToken(client)
    dex.setFault('token', { kind: 'html', status: 500, forClient: clientId => clientId !== 'stock' })
    for (let turn = 0; turn < 3; turn++) {
      for (const client of [orders, billing])
        await failureOf(broker.getToken({ ...client, scope: scopeOf(turn + 1) }))
    }
    expect((await failureOf(broker.getToken({ ...stock, scope: 'openid' }))).code).toBe('overloaded')
    clock.advance(1_000)
    // The failing one comes first, and its probe fails.
    await failureOf(broker.getToken({ ...orders, scope: scopeOf(8) }))
    clock.advance(2_000)
    expect((await failureOf(broker.getToken({ ...orders, scope: scopeOf(9) }))).code).toBe('overloaded')
    await expect(broker.getToken({ ...stock, scope: 'email' })).resolves.toBeDefined()
  })
})

/** Calls of some caller, or some client, that may cost no other one its token; `number` makes each of them different. */
const misbehaviours: Readonly<Record<string, (running: BrokerWithDex, number: number) => Promise<unknown>>> =
  {
    'made-up ids': ({ broker }, number) => broker.getToken(madeUp(number)),
    'wrong secrets of a good id': ({ broker }, number) =>
      broker.getToken({ ...orders, clientSecret: `wrong-${number}` }),
    'many scopes of one good client': ({ broker }, number) =>
      broker.getToken({ ...orders, scope: `s${number}` }),
    'callers that leave': ({ broker }, number) =>
      broker.getToken({ ...madeUp(number), signal: AbortSignal.timeout(1) }),
    'JWTs with made-up keys': ({ broker, dex, clock }, number) =>
      broker.verify(dex.signJwt({ exp: clock.wall() / 1000 + 60 }, { kid: `made-up-${number}` })),
    'JWTs without a signature': ({ broker, dex, clock }, number) =>
      broker.verify(
        `${dex.signJwt({ exp: clock.wall() / 1000 + 60, jti: number }).replace(/[^.]*$/, '')}AAAA`,
      ),
  }

const isOther = (clientId: string) => clientId !== 'billing'
const faults: Readonly<Record<string, Fault | undefined>> = {
  'a good Dex': undefined,
  'a slow Dex': { kind: 'slow', delayMs: 20 },
  'a Dex that answers them 500': { kind: 'html', status: 500, forClient: isOther },
  'a Dex that answers them 429': {
    kind: 'answer',
    status: 429,
    headers: { 'retry-after': '60' },
    forClient: isOther,
  },
  'a Dex that never answers them': { kind: 'hang', forClient: isOther },
}

/** Calls that go on while others are made. */
class Flood {
  #started = 0
  #unsettled = 0
  readonly #call: (number: number) => Promise<unknown>
  readonly #calls: Promise<unknown>[] = []

  constructor(call: (number: number) => Promise<unknown>) {
    this.#call = call
  }

  get unsettled(): number {
    return this.#unsettled
  }

  get started(): number {
    return this.#started
  }

  /** Starts more calls, and waits for none of them. */
  swell(count: number): void {
    for (let index = 0; index < count; index++) {
      this.#unsettled++
      const settled = () => {
        this.#unsettled--
      }
      this.#calls.push(this.#call(this.#started++).then(settled, settled))
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#calls)
  }
}

describe.each(Object.keys(misbehaviours))('a thousand %s', misbehaviour => {
  test.each(Object.keys(faults))(
    'with %s cost a client that had a token nothing',
    async fault => {
      await using running = await startBrokerWithDex(({ jwksUri }) => ({
        requestTimeoutMs: 2_000,
        gate: { jwksUri },
      }))
      const { broker, dex, clock } = running
      await broker.getToken(billing)
      dex.setFault('token', faults[fault])
      const flood = new Flood(async number => misbehaviours[misbehaviour]?.(running, number))
      for (let check = 0; check < 12; check++) {
        flood.swell(100)
        expect(flood.unsettled).toBeGreaterThanOrEqual(100)
        // Each a token that is not cached.
        await expect(
          broker.getToken({ ...billing, scope: scopeOf(check + 1), timeoutMs: 1_900 }),
        ).resolves.toBeDefined()
        clock.advance(100)
      }
      expect(flood.started).toBe(1_200)
      await flood.end()
    },
    30_000,
  )
})

test('new honest clients in a flood of made-up ones are all served, in the order in which they came', async () => {
  const clients = Array.from({ length: 48 }, (_, index) => ({ id: `new-${index}`, secret: 's' }))
  // On a busy machine 240 requests take longer than usual timeouts.
  const timeoutMs = 25_000
  await using running = await startBrokerWithDex({ requestTimeoutMs: timeoutMs }, { clients })
  const { broker, dex } = running
  dex.setFault('token', { kind: 'slow', delayMs: 20 })
  const flood = new Flood(number => broker.getToken(madeUp(number)))
  const honest: Promise<unknown>[] = []
  for (const { id, secret } of clients) {
    flood.swell(4)
    honest.push(broker.getToken({ clientId: id, clientSecret: secret, timeoutMs }))
  }
  expect(flood.unsettled).toBe(4 * clients.length)
  await expect(Promise.all(honest)).resolves.toHaveLength(clients.length)
  await flood.end()

  // 240 requests in all, of which unknown clients may have 16 under way: nobody is overtaken by more than these.
  const arrived = dex.tokenRequests.map(({ headers }) => basicUser(headers.authorization))
  expect(arrived).toHaveLength(5 * clients.length)
  const asked = clients.flatMap(({ id }, index) => [
    ...Array.from({ length: 4 }, (_, made) => madeUp(index * 4 + made).clientId),
    id,
  ])
  const overtakenBy = arrived.map((id, position) => position - asked.indexOf(id))
  expect(Math.max(...overtakenBy)).toBeLessThanOrEqual(16)
})

/** The client id of a Basic header. */
function basicUser(header = ''): string {
  return Buffer.from(header.slice('Basic '.length), 'base64').toString().split(':')[0] ?? ''
}

test('callers of unknown clients that wait leave half of the places to others', async () => {
  await using running = await startBrokerWithDex({ maxWaitingCallers: 100 })
  const { broker, dex } = running
  await broker.getToken(billing)
  dex.setFault('token', { kind: 'hang', forClient: isStranger })
  const waiting = Array.from({ length: 200 }, (_, number) => failureOf(broker.getToken(madeUp(number % 4))))
  const refused = waiting.slice(50)
  expect((await Promise.all(refused)).every(({ code }) => code === 'overloaded')).toBe(true)
  await expect(broker.getToken({ ...billing, scope: 'groups' })).resolves.toBeDefined()
  await broker.close()
  expect((await Promise.all(waiting.slice(0, 50))).every(({ code }) => code !== 'overloaded')).toBe(true)
})

test('a wait in the queue of the broker ends as overloaded, and opens no circuit', async () => {
  await using running = await startBrokerWithDex({ maxConnections: 1, requestTimeoutMs: 2_000 })
  const { broker, dex } = running
  dex.setFault('token', { kind: 'hang', forClient: isOrders, times: 1 })
  const busy = failureOf(broker.getToken(orders))
  await until(() => dex.counts.tokenRequests === 1)
  const waiting = Array.from({ length: 20 }, (_, number) => failureOf(broker.getToken(madeUp(number))))
  expect((await busy).code).toBe('token_endpoint_unavailable')
  const codes = (await Promise.all(waiting)).map(({ code }) => code)
  // Each waited for its turn: the deadline of a request starts when it is sent.
  for (const code of codes) expect(['overloaded', 'token_request_rejected']).toContain(code)
  await expect(broker.getToken(billing)).resolves.toBeDefined()
  expect(running.log.lines.filter(({ message }) => message.includes('circuit opened'))).toEqual([])
})

test('a client with a living token past its normal use gets it at once when all slots are taken', async () => {
  await using running = await startBrokerWithDex({ maxConnections: 2, refreshAheadRatio: 1 })
  const { broker, dex, clock } = running
  const first = await broker.getToken(orders)
  clock.advance(3_599_000 - 30_000)
  dex.setFault('token', { kind: 'hang', forClient: id => id === 'orders' })
  const busy = failureOf(broker.getToken({ ...orders, scope: 'groups' }))
  await until(() => dex.counts.tokenRequests === 2)
  const token = await broker.getToken(orders)
  expect([token === first, token.stale]).toEqual([true, true])
  await broker.close()
  await busy
})

test('three hundred new clients at once are all served, by 32 requests at a time', async () => {
  const clients = Array.from({ length: 300 }, (_, index) => ({ id: `c${index}`, secret: 's' }))
  await using running = await startBrokerWithDex({}, { clients })
  running.dex.setFault('token', { kind: 'slow', delayMs: 20 })
  const tokens = await Promise.all(
    clients.map(({ id, secret }) => running.broker.getToken({ clientId: id, clientSecret: secret })),
  )
  expect(new Set(tokens).size).toBe(300)
  expect(running.dex.counts.tokenRequests).toBe(300)
})
