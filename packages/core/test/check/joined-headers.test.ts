import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { IncomingRequest } from '../../src/check/incoming-request.ts'
import { caughtUp, orders, startBrokerWithDex } from '../broker-with-dex.ts'

const good = { 'x-client-id': 'orders', 'x-client-secret': 'orders-secret', 'x-scope': 'groups' }

function linesOf(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flat()
}

describe('header lines that a proxy may have joined', () => {
  test.each(Object.keys(good))('are refused where %s has a comma, before Dex is asked', async name => {
    await using running = await startBrokerWithDex()
    for (const value of ['orders,orders', 'orders, orders', ',', 'a,']) {
      const headers = linesOf({ ...good, [name]: value })
      expect(await running.broker.check({ headers, joinedHeaders: true })).toMatchObject({
        outcome: 'deny',
        code: 'invalid_request',
        status: 400,
        body: expect.stringContaining(`${name} has a comma, so that it may have appeared more than once`),
      })
    }
    await caughtUp(running.dex)
    expect(running.dex.counts.tokenRequests).toBe(0)
  })

  test('are refused where the JWT or the Basic credentials have a comma', async () => {
    await using gated = await startBrokerWithDex(dex => ({ client: orders, gate: { jwksUri: dex.jwksUri } }))
    const jwt = gated.dex.signJwt({ sub: 'alice', exp: gated.clock.wall() / 1000 + 60 })
    const twice = ['authorization', `Bearer ${jwt},Bearer ${jwt}`]
    expect(await gated.broker.check({ headers: twice, joinedHeaders: true })).toMatchObject({ status: 400 })
    await expect(gated.broker.authenticate({ headers: twice, joinedHeaders: true })).rejects.toMatchObject({
      code: 'invalid_request',
    })
    await using basic = await startBrokerWithDex({ credentialHeaders: { basic: true } })
    const encoded = `Basic ${Buffer.from('orders:orders-secret').toString('base64')}`
    for (const [value, status] of [
      [encoded, undefined],
      [`${encoded}, ${encoded}`, 400],
    ] as const) {
      const headers = ['authorization', value]
      const verdict = await basic.broker.check({ headers, joinedHeaders: true })
      expect(verdict.outcome === 'allow' ? undefined : verdict.status).toBe(status)
    }
  })

  test('pass without a comma, and with one in any other header', async () => {
    await using running = await startBrokerWithDex()
    const headers = linesOf({ ...good, accept: 'text/html, */*', 'x-team': 'a, b' })
    expect(await running.broker.check({ headers, joinedHeaders: true })).toMatchObject({ outcome: 'allow' })
  })

  test('may have a comma where the option allows it, and where no line is joined', async () => {
    const secret = 'with, a comma'
    const headers = ['x-client-id', 'orders', 'x-client-secret', secret]
    const dexOptions = { clients: [{ id: 'orders', secret }] }
    await using allowing = await startBrokerWithDex({ credentialHeaders: { allowJoined: true } }, dexOptions)
    expect(await allowing.broker.check({ headers, joinedHeaders: true })).toMatchObject({ outcome: 'allow' })
    await using usual = await startBrokerWithDex({}, dexOptions)
    expect(await usual.broker.check({ headers })).toMatchObject({ outcome: 'allow' })
    expect(await usual.broker.check({ headers, joinedHeaders: true })).toMatchObject({ status: 400 })
  })

  test('are not read where the client is configured', async () => {
    await using running = await startBrokerWithDex({ client: { ...orders, scope: 'openid' } })
    const headers = linesOf({ 'x-client-id': 'a,b', 'x-client-secret': 'c,d', 'x-scope': 'e,f' })
    expect(await running.broker.check({ headers, joinedHeaders: true })).toMatchObject({ outcome: 'allow' })
  })

  test('hide no repeated line: both forms are refused', async () => {
    await using running = await startBrokerWithDex()
    const headers = [...linesOf(good), 'x-client-id', 'orders']
    expect(await running.broker.check({ headers, joinedHeaders: true })).toMatchObject({
      status: 400,
      body: expect.stringContaining('x-client-id appears more than once'),
    })
  })

  test.each([true, false])('give rules no host that may be two, joinedHeaders=%s', async joinedHeaders => {
    const hosts: string[] = []
    await using running = await startBrokerWithDex({
      client: orders,
      chooseClient: (_, request: IncomingRequest) => {
        hosts.push(request.host)
        return { client: 'default' }
      },
    })
    const of = (host: string) => ({ headers: ['host', host], joinedHeaders })
    expect(await running.broker.check(of('Orders.example.com'))).toMatchObject({ outcome: 'allow' })
    expect(await running.broker.check(of('a.example.com,b.example.com'))).toMatchObject({ status: 400 })
    expect(hosts).toEqual(['orders.example.com'])
  })
})

test.each(['yes', 0])('credentialHeaders.allowJoined is a boolean, not %j', async allowJoined => {
  const options = { credentialHeaders: { allowJoined } } as never
  await expect(startBrokerWithDex(options)).rejects.toThrow(/^credentialHeaders\.allowJoined/)
})

test('credentials with bytes that are not UTF-8 are refused, however they were decoded', async () => {
  await using running = await startBrokerWithDex({ credentialHeaders: { basic: true } })
  await using gated = await startBrokerWithDex(dex => ({ client: orders, gate: { jwksUri: dex.jwksUri } }))
  const jwt = gated.dex.signJwt({ sub: 'alice', exp: gated.clock.wall() / 1000 + 60 })
  const basic = `Basic ${Buffer.from('orders:orders-secret').toString('base64')}`
  const wrongBytes = fc
    .uint8Array({ minLength: 1, maxLength: 6 })
    .map(bytes => Buffer.from(bytes))
    .filter(bytes => Buffer.from(bytes.toString('utf8')).compare(bytes) !== 0)
  await fc.assert(
    fc.asyncProperty(wrongBytes, fc.nat(100), async (bytes, at) => {
      for (const text of [bytes.toString('utf8'), bytes.toString('latin1')]) {
        const spoiled = (value: string) => {
          const place = at % (value.length + 1)
          return value.slice(0, place) + text + value.slice(place)
        }
        for (const name of Object.keys(good) as (keyof typeof good)[]) {
          const headers = linesOf({ ...good, [name]: spoiled(good[name]) })
          expect(await running.broker.check({ headers })).toMatchObject({ code: 'invalid_request' })
        }
        const spoiledBasic = ['authorization', `Basic ${spoiled(basic.slice('Basic '.length))}`]
        expect(await running.broker.check({ headers: spoiledBasic })).toMatchObject({ status: 400 })
        const spoiledJwt = ['authorization', `Bearer ${spoiled(jwt)}`]
        expect(await gated.broker.check({ headers: spoiledJwt })).toMatchObject({ code: 'invalid_token' })
      }
    }),
    { numRuns: 50 },
  )
  await caughtUp(running.dex)
  expect(running.dex.counts.tokenRequests).toBe(0)
})
