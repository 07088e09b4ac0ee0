import { describe, expect, test } from 'vitest'
import type { AllowVerdict } from '../../src/check/verdict.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { type BrokerWithDex, orders, startBrokerWithDex } from '../broker-with-dex.ts'

const odd = { id: 'odd: ü+%41', secret: 'p+q%41:/= ß' }
const clients = [{ id: 'orders', secret: 'orders-secret' }, { id: 'billing', secret: 'billing-secret' }, odd]

const basic = (id: string, secret: string) =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`
const ordersBasic = ['authorization', basic('orders', 'orders-secret')]

function start(options: Partial<TokenBrokerOptions> = {}): Promise<BrokerWithDex> {
  return startBrokerWithDex({ credentialHeaders: { basic: true }, ...options }, { clients })
}

function startGated(options: Partial<TokenBrokerOptions> = {}): Promise<BrokerWithDex> {
  return startBrokerWithDex(
    dex => ({
      credentialHeaders: { basic: true },
      gate: { jwksUri: dex.jwksUri, jwtHeader: 'x-jwt' },
      ...options,
    }),
    { clients },
  )
}

const jwtOf = ({ dex, clock }: BrokerWithDex) =>
  dex.signJwt({ sub: 'alice', exp: clock.wall() / 1000 + 3600 })

function audienceOf(verdict: unknown, header = 'authorization'): unknown {
  expect(verdict).toMatchObject({ outcome: 'allow' })
  const [, payload = ''] = (verdict as AllowVerdict).set[header]?.split('.') ?? []
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).aud
}

describe('Basic credentials of a check', () => {
  test('get the token that the same credentials get in their own headers, with one request to Dex', async () => {
    await using running = await start()
    const { broker, dex } = running
    const first = await broker.check({ headers: [...ordersBasic, 'x-scope', 'openid'] })
    const second = await broker.check({
      headers: ['x-client-id', 'orders', 'x-client-secret', 'orders-secret', 'x-scope', 'openid'],
    })
    expect(audienceOf(first)).toBe('orders')
    expect(second).toEqual(first)
    expect(dex.tokenRequests.length).toBe(1)
    expect(dex.tokenRequests[0]?.form['scope']).toBe('openid')
  })

  test('are form-decoded before they go to Dex, so that ids and secrets may have any character', async () => {
    await using running = await start()
    const verdict = await running.broker.check({ headers: ['Authorization', basic(odd.id, odd.secret)] })
    expect(audienceOf(verdict)).toBe(odd.id)
  })

  test('are not read unless the option says so', async () => {
    await using running = await start({ credentialHeaders: {} })
    expect(await running.broker.check({ headers: ordersBasic })).toMatchObject({
      status: 401,
      code: 'missing_credentials',
      headers: { 'www-authenticate': 'Bearer realm="dex-token-broker"' },
    })
  })

  test.each(['x-client-id', 'x-client-secret'])('are refused beside %s', async name => {
    await using running = await start()
    for (const value of ['orders', 'orders-secret']) {
      for (const headers of [
        [...ordersBasic, name, value],
        [name, value, ...ordersBasic],
      ]) {
        expect(await running.broker.check({ headers })).toMatchObject({
          status: 400,
          body: expect.stringContaining(`client credentials are in authorization and in ${name}`),
        })
      }
    }
    expect(await running.broker.check({ headers: [...ordersBasic, name, ''] })).toMatchObject({
      outcome: 'allow',
    })
  })

  test('are refused on two lines, also when the other line has another scheme or nothing', async () => {
    await using running = await start()
    for (const second of [ordersBasic[1] ?? '', 'Bearer a.b.c', '']) {
      const headers = [...ordersBasic, 'Authorization', second]
      expect(await running.broker.check({ headers })).toMatchObject({
        status: 400,
        body: expect.stringContaining('authorization appears more than once'),
      })
    }
    expect(running.dex.tokenRequests).toEqual([])
  })

  test('another scheme does not stand in the way of the headers', async () => {
    await using running = await start()
    const own = ['x-client-id', 'orders', 'x-client-secret', 'orders-secret']
    const headers = ['authorization', 'Bearer theirs', ...own]
    expect(audienceOf(await running.broker.check({ headers }))).toBe('orders')
  })

  test('that are malformed are 400, and without an id or a secret 401', async () => {
    await using running = await start()
    const check = (value: string) => running.broker.check({ headers: ['authorization', value] })
    expect(await check('Basic !')).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(await check(basic('', 'orders-secret'))).toMatchObject({
      code: 'missing_credentials',
      body: expect.stringContaining('the Basic credentials in authorization have no client id'),
    })
    expect(await check(basic('orders', ''))).toMatchObject({
      code: 'missing_credentials',
      body: expect.stringContaining('have no client secret'),
    })
    // The proxy forwards the header, so the operator is not warned of it.
    expect(running.log.lines).toMatchObject([
      { level: 'info', message: 'checks refused', fields: { code: 'invalid_request', count: 1 } },
      { level: 'info', message: 'checks refused', fields: { code: 'missing_credentials', count: 1 } },
      { level: 'info', message: 'checks refused', fields: { code: 'missing_credentials', count: 1 } },
    ])
    expect(await check(basic('x'.repeat(257), 'a'))).toMatchObject({ status: 400 })
    expect(running.dex.tokenRequests).toEqual([])
  })

  test('are what a refusal asks for, with Bearer where a gate is', async () => {
    await using open = await start({ realm: 'the "orders" API' })
    const challenge = String.raw`Basic realm="the \"orders\" API", charset="UTF-8"`
    for (const headers of [[], ['authorization', 'Bearer a.b.c'], ['authorization', basic('orders', 'no')]]) {
      expect(await open.broker.check({ headers })).toMatchObject({
        status: 401,
        headers: { 'www-authenticate': challenge },
      })
    }
    await using gated = await startGated()
    expect(await gated.broker.check({ headers: ['x-jwt', jwtOf(gated)] })).toMatchObject({
      code: 'missing_credentials',
      headers: {
        'www-authenticate':
          'Basic realm="dex-token-broker", charset="UTF-8", Bearer realm="dex-token-broker"',
      },
    })
    expect(await gated.broker.check({ headers: ordersBasic })).toMatchObject({
      code: 'invalid_token',
      headers: { 'www-authenticate': 'Bearer realm="dex-token-broker"' },
    })
  })

  test('that are missing are warned of with all places where they may be', async () => {
    await using running = await start()
    expect(await running.broker.check({ headers: [] })).toMatchObject({
      body: expect.stringContaining(
        'x-client-id and x-client-secret, or authorization with Basic credentials, are missing',
      ),
    })
    expect(running.log.lines).toMatchObject([
      {
        level: 'warn',
        fields: {
          missing: ['x-client-id', 'x-client-secret'],
          hint: expect.stringMatching(
            /^forward x-client-id and x-client-secret, or authorization with Basic/,
          ),
        },
      },
    ])
  })

  test('work beside a gate on another header, whose JWT they do not replace', async () => {
    await using running = await startGated()
    const headers = ['x-jwt', jwtOf(running), ...ordersBasic]
    expect(audienceOf(await running.broker.check({ headers }))).toBe('orders')
    expect(await running.broker.check({ headers: ordersBasic })).toMatchObject({ code: 'invalid_token' })
  })

  test('obey allowedClientIds and allowedScopes', async () => {
    await using running = await start({ allowedClientIds: ['billing'], allowedScopes: ['openid'] })
    const billing = ['authorization', basic('billing', 'billing-secret')]
    expect(await running.broker.check({ headers: ordersBasic })).toMatchObject({ code: 'forbidden' })
    expect(await running.broker.check({ headers: [...billing, 'x-scope', 'groups'] })).toMatchObject({
      code: 'forbidden',
    })
    expect(audienceOf(await running.broker.check({ headers: [...billing, 'x-scope', 'openid'] }))).toBe(
      'billing',
    )
  })

  test('are the client caller of a choice, with its lists', async () => {
    await using running = await startGated({
      chooseClient: () => ({ client: 'caller', allowedClientIds: ['orders'] }),
    })
    const check = (authorization: string) =>
      running.broker.check({ headers: ['x-jwt', jwtOf(running), 'authorization', authorization] })
    expect(audienceOf(await check(basic('orders', 'orders-secret')))).toBe('orders')
    expect(await check(basic('billing', 'billing-secret'))).toMatchObject({ code: 'forbidden' })
  })

  test('are not read for a client that is configured', async () => {
    await using running = await start({ client: orders })
    for (const headers of [
      ['authorization', basic('billing', 'billing-secret')],
      ['authorization', 'Basic !', 'authorization', 'Basic !'],
    ]) {
      expect(audienceOf(await running.broker.check({ headers }))).toBe('orders')
    }
  })

  test('give the part of a client that is not configured', async () => {
    await using running = await start({ client: { clientId: 'orders' } })
    const headers = ['authorization', basic('billing', 'orders-secret')]
    expect(audienceOf(await running.broker.check({ headers }))).toBe('orders')
  })

  test('are hidden from chooseClient', async () => {
    const seen: unknown[] = []
    await using running = await start({
      chooseClient: (_, request) => {
        seen.push(request.headers)
        return { client: 'caller' }
      },
    })
    await running.broker.check({ headers: [...ordersBasic, 'x-other', 'a'] })
    expect(seen).toEqual([{ 'x-other': 'a' }])
  })
})

describe('the header authorization, where Basic credentials are accepted', () => {
  test('is removed when another header carries the token', async () => {
    await using running = await start({ authorizationHeader: 'x-token' })
    const verdict = await running.broker.check({ headers: ordersBasic })
    expect(audienceOf(verdict, 'x-token')).toBe('orders')
    expect(verdict).toMatchObject({ remove: expect.arrayContaining(['authorization']) })
    expect(running.broker.credentialHeaders).toContain('authorization')
  })

  test('is removed for a configured client too, and stays without Basic or without strip', async () => {
    const removedBy = async (options: Partial<TokenBrokerOptions>) => {
      await using running = await start({ client: orders, authorizationHeader: 'x-token', ...options })
      return ((await running.broker.check({ headers: ordersBasic })) as AllowVerdict).remove
    }
    expect(await removedBy({})).toContain('authorization')
    expect(await removedBy({ credentialHeaders: {} })).not.toContain('authorization')
    expect(await removedBy({ credentialHeaders: { basic: true, strip: false } })).not.toContain(
      'authorization',
    )
  })

  test('is set and not removed when it carries the token', async () => {
    await using running = await start()
    const verdict = (await running.broker.check({ headers: ordersBasic })) as AllowVerdict
    expect(verdict.set['authorization']).toMatch(/^Bearer /)
    expect(verdict.remove).not.toContain('authorization')
  })

  test('is removed from a request that passes with its own JWT, which stays', async () => {
    for (const authorizationHeader of ['authorization', 'x-token']) {
      await using running = await startGated({ authorizationHeader, chooseClient: () => ({ pass: true }) })
      const verdict = await running.broker.check({ headers: ['x-jwt', jwtOf(running), ...ordersBasic] })
      expect(verdict).toMatchObject({ outcome: 'allow', set: {} })
      expect((verdict as AllowVerdict).remove).toContain('authorization')
      expect((verdict as AllowVerdict).remove).not.toContain('x-jwt')
    }
  })
})

describe('the option credentialHeaders.basic', () => {
  const tokenEndpoint = 'https://dex.example.com/token'
  const jwksUri = 'https://issuer.example.com/keys'
  test.each<[string, Partial<TokenBrokerOptions>, RegExp]>([
    ['a gate', { gate: { jwksUri } }, /^credentialHeaders\.basic needs another gate\.jwtHeader/],
    [
      'a gate on Authorization in capitals',
      { gate: { jwksUri, jwtHeader: 'Authorization' } },
      /^credentialHeaders\.basic needs another gate\.jwtHeader/,
    ],
    [
      'issuers',
      { issuers: [{ name: 'a', issuer: 'https://a.example.com' }] },
      /^credentialHeaders\.basic needs another gate\.jwtHeader/,
    ],
    [
      'the secret in authorization',
      { credentialHeaders: { basic: true, clientSecret: 'Authorization' } },
      /^credentialHeaders\.basic excludes authorization as credentialHeaders\.clientSecret/,
    ],
    [
      'a text',
      { credentialHeaders: { basic: 'false' as unknown as boolean } },
      /^credentialHeaders\.basic must be a boolean/,
    ],
  ])('is wrong use with %s', (_, options, message) => {
    const create = () => new TokenBroker({ tokenEndpoint, credentialHeaders: { basic: true }, ...options })
    expect(create).toThrow(TypeError)
    expect(create).toThrow(message)
  })

  test('false is the default, with any gate', async () => {
    await using broker = new TokenBroker({
      tokenEndpoint,
      gate: { jwksUri },
      credentialHeaders: { basic: false },
    })
    expect(broker.credentialHeaders).toEqual(['x-client-id', 'x-client-secret', 'x-scope', 'authorization'])
  })
})
