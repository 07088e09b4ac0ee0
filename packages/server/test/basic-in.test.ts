import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bearerOf, errorOf, orders, removedBy, startBroker } from './support/start-broker.ts'

/** As `application/x-www-form-urlencoded`, and as `encodeURIComponent` writes it. */
const encodings = [
  (text: string) => new URLSearchParams({ '': text }).toString().slice(1),
  encodeURIComponent,
]

function basic(id: string, secret: string, encoded = encodeURIComponent as (text: string) => string): string {
  return `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64')}`
}

const acceptBasic = { ACCEPT_BASIC: 'true' }
const audienceOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).aud

describe('Basic credentials over HTTP', () => {
  test('are exchanged for a token, and authorization is replaced', async () => {
    await using broker = await startBroker(acceptBasic)
    const answer = await broker.check({ headers: { authorization: basic('orders', 'orders-secret') } })
    expect(answer.status).toBe(200)
    expect(audienceOf(bearerOf(answer))).toBe('orders')
    expect(removedBy(answer)).toEqual(['x-client-id', 'x-client-secret', 'x-scope'])
    expect(await broker.check({ headers: orders })).toMatchObject({ status: 200 })
    expect(broker.dex.tokenRequests).toHaveLength(1)
  })

  test('are removed when another header carries the token', async () => {
    await using broker = await startBroker({ ...acceptBasic, UPSTREAM_AUTH_HEADER: 'x-token' })
    const answer = await broker.check({ headers: { authorization: basic('orders', 'orders-secret') } })
    expect(audienceOf(bearerOf(answer, 'x-token'))).toBe('orders')
    expect(removedBy(answer)).toContain('authorization')
  })

  test('that are missing or wrong are 401, with a challenge that says what to send', async () => {
    await using broker = await startBroker(acceptBasic)
    for (const [authorization, code] of [
      [undefined, 'missing_credentials'],
      ['Bearer a.b.c', 'missing_credentials'],
      [basic('orders', ''), 'missing_credentials'],
      [basic('orders', 'wrong'), 'token_request_rejected'],
    ]) {
      const answer = await broker.check({ headers: authorization ? { authorization } : {} })
      expect([answer.status, errorOf(answer)]).toEqual([401, code])
      expect(answer.header('www-authenticate')).toBe('Basic realm="dex-token-broker", charset="UTF-8"')
    }
  })

  test('that are malformed, repeated, or beside the other headers are 400', async () => {
    await using broker = await startBroker(acceptBasic)
    const good = basic('orders', 'orders-secret')
    for (const headers of [
      [['authorization', 'Basic b3JkZXJz']],
      [['authorization', 'Basic b3JkZXJzOm9yZGVycy1zZWNyZXQ']],
      [['authorization', good.replace('=', '')]],
      [['authorization', `${good}, ${good}`]],
      [
        ['authorization', good],
        ['Authorization', good],
      ],
      [['authorization', good], ...Object.entries(orders)],
      [
        ['authorization', good],
        ['x-client-id', 'orders'],
      ],
    ] as [string, string][][]) {
      const answer = await broker.check({ headers })
      expect([answer.status, errorOf(answer)]).toEqual([400, 'invalid_request'])
    }
    expect(broker.dex.tokenRequests).toEqual([])
  })

  test('are nothing to the broker by default', async () => {
    await using broker = await startBroker()
    const answer = await broker.check({ headers: { authorization: basic('orders', 'orders-secret') } })
    expect([answer.status, errorOf(answer)]).toEqual([401, 'missing_credentials'])
    expect(answer.header('www-authenticate')).toBe('Bearer realm="dex-token-broker"')
  })

  test('of any Unicode arrive at Dex as they are', async () => {
    const text = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 30 })
      .filter(value => !/\p{Cc}/u.test(value))
    const sample = fc.sample(fc.record({ id: text, secret: text }), 40)
    // Dex knows one secret for an id.
    const clients = [...new Map(sample.map(client => [client.id, client])).values()]
    await using broker = await startBroker(acceptBasic, { clients })
    for (const [index, { id, secret }] of clients.entries()) {
      const answer = await broker.check({
        headers: { authorization: basic(id, secret, encodings[index % encodings.length]) },
      })
      expect({ id, secret, status: answer.status }).toEqual({ id, secret, status: 200 })
      expect(audienceOf(bearerOf(answer))).toBe(id)
    }
  })

  test('obey ALLOWED_CLIENT_IDS and ALLOWED_SCOPES', async () => {
    const lists = { ALLOWED_CLIENT_IDS: 'orders', ALLOWED_SCOPES: 'openid' }
    await using broker = await startBroker({ ...acceptBasic, ...lists })
    const statusOf = async (authorization: string, scope = '') =>
      (await broker.check({ headers: { authorization, 'x-scope': scope } })).status
    expect(await statusOf(basic('orders', 'orders-secret'), 'openid')).toBe(200)
    expect(await statusOf(basic('orders', 'orders-secret'), 'groups')).toBe(403)
    expect(await statusOf(basic('billing', 'billing-secret'))).toBe(403)
  })

  test('are the client caller of rules, and rules cannot read them', async () => {
    const file = path.join(tmpdir(), `basic-rules-${process.pid}.json`)
    const rules = [
      { name: 'leak', when: 'has(request.headers.authorization)', deny: 'seen' },
      { name: 'own', when: 'true', client: 'caller', allowedClientIds: ['orders'] },
    ]
    writeFileSync(file, JSON.stringify({ rules }))
    await using broker = await startBroker({
      ...acceptBasic,
      CONFIG_FILE: file,
      ALLOW_UNAUTHENTICATED_CALLERS: 'true',
    })
    const statusOf = async (authorization: string) =>
      (await broker.check({ target: '/check/orders', headers: { authorization } })).status
    expect(await statusOf(basic('orders', 'orders-secret'))).toBe(200)
    expect(await statusOf(basic('billing', 'billing-secret'))).toBe(403)
  })

  test('work beside a gate with its JWT in another header', async () => {
    await using broker = await startBroker(dex => ({
      ...acceptBasic,
      STATIC_CLIENT_ID: 'orders',
      JWKS_URL: dex.jwksUri,
      JWT_ISSUER: dex.issuer,
      JWT_HEADER: 'x-jwt',
    }))
    const { dex } = broker
    const jwt = dex.signJwt({ iss: dex.issuer, sub: 'alice', exp: Math.floor(Date.now() / 1000) + 600 })
    const authorization = basic('orders', 'orders-secret')
    const passes = await broker.check({ headers: { 'x-jwt': jwt, authorization } })
    expect(audienceOf(bearerOf(passes))).toBe('orders')
    expect(removedBy(passes)).toContain('x-jwt')
    expect(await broker.check({ headers: { authorization } })).toMatchObject({ status: 401 })
    const withoutSecret = await broker.check({ headers: { 'x-jwt': jwt } })
    expect(errorOf(withoutSecret)).toBe('missing_credentials')
    expect(withoutSecret.header('www-authenticate')).toBe(
      'Basic realm="dex-token-broker", charset="UTF-8", Bearer realm="dex-token-broker"',
    )
  })
})
