import { Readable } from 'node:stream'
import type { Fault } from '@broker/dev-dex'
import { freePort, startRecordingServer } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import type { BrokerError } from '../../src/shared/errors.ts'
import { hintText } from '../../src/shared/hint.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { failureOf, orders, startBrokerWithDex, until } from '../broker-with-dex.ts'

const html = '<html><body>secret-of-upstream</body></html>'
const oauth = (error: unknown) => JSON.stringify({ error, error_description: 'secret-of-upstream' })

function textOf({ hint }: BrokerError): string {
  return hint === undefined ? '' : hintText(hint)
}

/** What the broker makes of one answer of the token endpoint to a caller's own client. */
async function judge(status: number, body: string, headers: Record<string, string> = {}) {
  await using running = await startBrokerWithDex()
  running.dex.setFault('token', { kind: 'answer', status, body, headers })
  const failure = await failureOf(running.broker.getToken(orders))
  const isRetried = [502, 503, 504].includes(status) && !('retry-after' in headers)
  expect(running.dex.counts.tokenRequests).toBe(isRetried ? 3 : 1)
  expect(failure.message).not.toContain('secret-of-upstream')
  const lines = running.log.lines.filter(({ level }) => level !== 'debug')
  expect(JSON.stringify(lines)).not.toContain('secret-of-upstream')
  return failure
}

/** The token that the broker takes from a response with these members. */
async function accept(members: object | string, tokenHeaders: Record<string, string> = {}) {
  await using running = await startBrokerWithDex({ client: orders, tokenHeaders, expirySafetyMarginMs: 0 })
  const body =
    typeof members === 'string'
      ? members
      : JSON.stringify({ access_token: 'tok', token_type: 'bearer', expires_in: 60, ...members })
  running.dex.setFault('token', { kind: 'answer', body })
  const token = await running.broker.getToken()
  return { token, lifeMs: token.expiresAt - running.clock.wall() }
}

describe('whose fault an answer is', () => {
  test.each([
    [401, oauth('invalid_client')],
    [403, oauth('access_denied')],
    [400, oauth('invalid_client')],
    [400, oauth('invalid_scope')],
    [400, oauth('invalid_request')],
    [400, oauth('unauthorized_client')],
    [400, oauth('something_new')],
  ])('%i %s is a judgement of the credentials or the scope', async (status, body) => {
    const failure = await judge(status, body)
    expect(failure).toMatchObject({ code: 'token_request_rejected', status: 401 })
    expect(failure.oauthError ?? '').not.toContain('something_new')
  })

  test.each([
    [400, html],
    [400, oauth('')],
    [400, oauth('a\u0007b')],
    [400, oauth(42)],
    [400, oauth(null)],
    [400, '["error"]'],
    [201, '{"access_token":"tok","token_type":"bearer"}'],
    [202, '{}'],
    [405, html],
    [410, ''],
    [500, html],
    [502, html],
    [503, html],
  ])('%i %s is a fault of the operator or of Dex', async (status, body) => {
    expect(await judge(status, body)).toMatchObject({ code: 'invalid_token_response', status: 502 })
  })

  test.each([
    [400, html],
    [401, html],
    [401, ''],
    [403, html],
    [403, '{}'],
  ])(
    '%i %s is no word of Dex: something in front of it answers, and the hint says so',
    async (status, body) => {
      const failure = await judge(status, body)
      expect(failure).toMatchObject({ code: 'invalid_token_response', status: 502, transient: true })
      expect(failure.hint).toEqual({
        problem: 'proxy_in_front',
        option: 'tokenEndpoint',
        detail: `${status}`,
      })
    },
  )

  test('unsupported_grant_type is the operator’s fault and names the setting', async () => {
    const failure = await judge(400, oauth('unsupported_grant_type'))
    expect(failure).toMatchObject({ code: 'invalid_token_response', status: 502 })
    expect(textOf(failure)).toContain('oauth2.grantTypes')
  })

  test('a Dex with the grant switched off is told apart from wrong credentials', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.clientCredentialsEnabled = false
    expect((await failureOf(running.broker.getToken())).code).toBe('invalid_token_response')
    expect(running.log.lines.at(-1)?.fields['hint']).toContain('oauth2.grantTypes')
  })

  test('404 says which setting has the wrong path', async () => {
    const failure = await judge(404, '404 page not found\n')
    expect(failure).toMatchObject({ code: 'invalid_token_response', status: 502 })
    expect(textOf(failure)).toContain('tokenEndpoint')
  })

  test('429 asks the caller to come back later, in seconds', async () => {
    const failure = await judge(429, html, { 'retry-after': '17' })
    expect(failure).toMatchObject({ code: 'token_endpoint_unavailable', status: 503, retryAfterMs: 17_000 })
  })

  test('429 asks the caller to come back later, as a date', async () => {
    const failure = await judge(429, html, { 'retry-after': 'Tue, 01 Jan 2030 00:00:30 GMT' })
    expect(failure).toMatchObject({ code: 'token_endpoint_unavailable', retryAfterMs: 30_000 })
  })

  test.each([
    ['0', undefined],
    ['Mon, 31 Dec 2029 23:59:00 GMT', undefined],
    ['99999999999999999999', 3_600_000],
    ['9'.repeat(400), 3_600_000],
    ['Fri, 01 Jan 2100 00:00:00 GMT', 3_600_000],
    ['soon', undefined],
    ['', undefined],
  ])('Retry-After %s is bounded or ignored', async (value, expected) => {
    const failure = await judge(429, html, { 'retry-after': value })
    expect(failure.retryAfterMs).toBe(expected)
  })

  test('503 passes on its Retry-After', async () => {
    expect(await judge(503, html, { 'retry-after': '5' })).toMatchObject({
      code: 'invalid_token_response',
      retryAfterMs: 5_000,
    })
  })

  test('rejected static credentials are logged loudly with the names of their settings', async () => {
    await using running = await startBrokerWithDex({ client: { ...orders, clientSecret: 'wrong' } })
    await failureOf(running.broker.getToken())
    expect(running.log.lines).toHaveLength(1)
    expect(running.log.lines[0]).toMatchObject({ level: 'error' })
    expect(running.log.lines[0]?.fields['hint']).toContain('client.clientSecret')
  })

  test.each([
    ['the peer does not trust "orders"\u0007\nso no', 'the peer does not trust "orders"  so no'],
    ['x'.repeat(500), 'x'.repeat(200)],
    ['is orders-secret right?', undefined],
    [`${'x'.repeat(190)}orders-secret`, undefined],
    ['is orders-\u0000secret right?', undefined],
    ['is orders-\nsecret right?', undefined],
    ['is ORDERS-SECRET right?', undefined],
    ['is orders-secre... right?', undefined],
    ['is orders\\-secret right?', undefined],
    [`${'x'.repeat(199)}\u{1f600}`, `${'x'.repeat(199)}\ufffd`],
    [`not Basic ${Buffer.from('orders:orders-secret').toString('base64')}`, undefined],
    [7, undefined],
  ])(
    'what Dex says about the configured client is for the log, plain, short and without its secret: %.40j',
    async (said, shown) => {
      await using running = await startBrokerWithDex({ client: orders })
      const body = JSON.stringify({ error: 'invalid_scope', error_description: said })
      running.dex.setFault('token', { kind: 'answer', status: 400, body })
      const failure = await failureOf(running.broker.getToken({ scope: 'groups' }))
      expect(failure.oauthErrorDescription).toBe(shown)
      expect(running.log.lines.at(-1)?.fields['oauthErrorDescription']).toBe(shown)
    },
  )

  test('what Dex says about credentials of a caller is logged at debug only, without their secret', async () => {
    await using running = await startBrokerWithDex()
    const say = (description: string) =>
      running.dex.setFault('token', {
        kind: 'answer',
        status: 400,
        body: JSON.stringify({ error: 'invalid_scope', error_description: description }),
      })
    say('unknown\u001b[31m scope')
    expect((await failureOf(running.broker.getToken(orders))).oauthErrorDescription).toBe(
      'unknown [31m scope',
    )
    say(`who sent ${orders.clientSecret}?`)
    await failureOf(running.broker.getToken({ ...orders, scope: 'groups' }))
    const withDescription = running.log.lines.filter(({ fields }) => 'oauthErrorDescription' in fields)
    expect(withDescription).toEqual([
      {
        level: 'debug',
        message: 'token request rejected by Dex',
        fields: {
          clientId: 'orders',
          oauthError: 'invalid_scope',
          oauthErrorDescription: 'unknown [31m scope',
        },
      },
    ])
    expect(JSON.stringify(running.log.lines)).not.toContain(orders.clientSecret)
  })

  test.each([
    ['s3cr&t"<1>', 'is s3cr&amp;t&quot;&lt;1&gt; right?'],
    ['s3cr t+/=', `is ${encodeURIComponent('s3cr t+/=')} right?`],
    ['s3cr t+/=', 'is s3cr+t%2B%2F%3D right?'],
  ])('the secret %s is recognised in an answer that escapes it', async (clientSecret, description) => {
    await using running = await startBrokerWithDex({ client: { clientId: 'orders', clientSecret } })
    const body = JSON.stringify({ error: 'invalid_client', error_description: description })
    running.dex.setFault('token', { kind: 'answer', status: 401, body })
    const failure = await failureOf(running.broker.getToken())
    expect(failure).toMatchObject({ code: 'client_misconfigured', oauthErrorDescription: undefined })
    expect(JSON.stringify(running.log.lines)).not.toContain('s3cr')
  })

  test('rejected credentials of a caller are a warning without a hint', async () => {
    await using running = await startBrokerWithDex()
    await failureOf(running.broker.getToken({ ...orders, clientSecret: 'wrong' }))
    const lines = running.log.lines.filter(({ level }) => level !== 'debug')
    expect(lines).toMatchObject([{ level: 'warn', fields: { oauthError: 'invalid_client' } }])
    expect(lines[0]?.fields['hint']).toBeUndefined()
  })
})

describe('the fields of a good answer', () => {
  test.each([
    'no JSON',
    '',
    'null',
    '"tok"',
    '[{"access_token":"tok"}]',
    '{"token_type":"bearer"}',
    '{"access_token":""}',
    '{"access_token":null}',
    '{"access_token":42}',
    '{"access_token":["tok"]}',
    '{"access_token":"t\u00f6k \u20ac"}',
    '{"access_token":"a b"}',
    '{"access_token":"a\\nb"}',
    '{"access_token":"a\\u0000"}',
    '{"access_token":"tok\\n"}',
    '{"access_token":"tok\\u007f"}',
    '{"ACCESS_TOKEN":"tok","token_type":"bearer"}',
    '{"__proto__":{"access_token":"tok"}}',
    '{"access_token":"tok","token_type":"mac"}',
    '{"access_token":"tok","token_type":1}',
    '{"access_token":"tok","expires_in":"soon"}',
    '{"access_token":"tok","expires_in":"0x10"}',
    '{"access_token":"tok","expires_in":true}',
    '{"access_token":"tok","expires_in":[60]}',
    '{"access_token":"tok"',
    '['.repeat(60_000),
  ])('200 with %.40s is no usable token', async body => {
    expect(await judge(200, body)).toMatchObject({ code: 'invalid_token_response', status: 502 })
  })

  test.each(['bearer', 'Bearer', 'BEARER', undefined, null, ''])(
    'token_type %s is Bearer to the outside',
    async tokenType => {
      const { token } = await accept({ token_type: tokenType })
      expect(token.tokenType).toBe('Bearer')
      expect(token.headers).toEqual({ authorization: 'Bearer tok' })
    },
  )

  const yearMs = 366 * 24 * 3_600_000
  test.each([
    ['absent', {}, 60_000],
    ['null', { expires_in: null }, 60_000],
    ['""', { expires_in: '' }, 60_000],
    ['0', { expires_in: 0 }, 60_000],
    ['-1', { expires_in: -1 }, 60_000],
    ['"0"', { expires_in: '0' }, 60_000],
    ['"3600"', { expires_in: '3600' }, 3_600_000],
    ['" 3600 "', { expires_in: ' 3600 ' }, 3_600_000],
    ['3599.5', { expires_in: 3599.5 }, 3_599_500],
    ['99999999999', { expires_in: 99_999_999_999 }, yearMs],
    ['"1e999"', { expires_in: '1e999' }, yearMs],
  ])('expires_in %s', async (_, members, lifeMs) => {
    const { expires_in = undefined } = members as { expires_in?: unknown }
    expect((await accept({ expires_in })).lifeMs).toBe(lifeMs)
  })

  test('expires_in 1e999 is cut to a year', async () => {
    expect((await accept('{"access_token":"tok","expires_in":1e999}')).lifeMs).toBe(yearMs)
  })

  test('unknown fields are ignored and mapped ones are passed on verbatim', async () => {
    const tokenHeaders = {
      id_token: 'x-id',
      number: 'x-number',
      object: 'x-object',
      odd: 'x-odd',
      empty: 'x-empty',
    }
    const { token } = await accept(
      { id_token: 'a.b, c', number: 7.5, object: {}, odd: 'a\r\nx-evil: 1', empty: '', more: 'x' },
      tokenHeaders,
    )
    expect(token.fields).toEqual({ id_token: 'a.b, c', number: '7.5' })
    expect(token.headers).toEqual({ authorization: 'Bearer tok', 'x-id': 'a.b, c', 'x-number': '7.5' })
  })

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'a mapped field named %s is absent when the answer does not have it',
    async field => {
      const { token } = await accept({}, Object.fromEntries([[field, 'x-field']]))
      expect(token.headers).toEqual({ authorization: 'Bearer tok' })
    },
  )

  test('a mapped field named __proto__ is passed on like any other', async () => {
    const { token } = await accept('{"access_token":"tok","__proto__":"value"}', { ['__proto__']: 'x-field' })
    expect(token.headers).toEqual({ authorization: 'Bearer tok', 'x-field': 'value' })
  })
})

function* endlessText(): Generator<string> {
  for (;;) yield 'x'.repeat(16_384)
}

describe('answers that never end well', () => {
  test.each([true, false])(
    'a body of 1 GiB is cut off at 64 KiB, promptly (length declared: %s)',
    async declareLength => {
      await using running = await startBrokerWithDex({ client: orders })
      running.dex.setFault('token', { kind: 'huge', declareLength })
      const failure = await failureOf(running.broker.getToken({ timeoutMs: 2_000 }))
      expect(failure).toMatchObject({ code: 'invalid_token_response', status: 502 })
      expect(failure.message).toContain('too large')
    },
  )

  test('the connection of a body that is too long is let go', async () => {
    let isGone = false
    await using server = await startRecordingServer((_, response) => {
      response.on('close', () => {
        isGone = true
      })
      Readable.from(endlessText()).pipe(response)
    })
    await using broker = new TokenBroker({ tokenEndpoint: server.url, client: orders })
    await failureOf(broker.getToken())
    await until(() => isGone)
  })

  test('a body of exactly 64 KiB is read, one byte more is not', async () => {
    const padded = (length: number) => `{"access_token":"tok"}`.padEnd(length)
    await expect(accept(padded(65_536))).resolves.toBeDefined()
    expect((await judge(200, padded(65_537))).message).toContain('too large')
  })

  test.each<[string, Fault]>([
    ['reset before the answer', { kind: 'reset' }],
    ['reset in the middle of the body', { kind: 'reset', midBody: true }],
  ])('%s is token_endpoint_unavailable', async (_, fault) => {
    await using running = await startBrokerWithDex({ client: orders })
    running.dex.setFault('token', fault)
    const failure = await failureOf(running.broker.getToken())
    expect(failure).toMatchObject({ code: 'token_endpoint_unavailable', status: 503 })
  })

  test('a refused connection is token_endpoint_unavailable and names the setting', async () => {
    const tokenEndpoint = `http://127.0.0.1:${await freePort()}/token`
    await using broker = new TokenBroker({ tokenEndpoint, client: orders })
    const failure = await failureOf(broker.getToken())
    expect(failure).toMatchObject({ code: 'token_endpoint_unavailable', status: 503 })
    expect(textOf(failure)).toContain('tokenEndpoint')
    expect(failure.message).not.toMatch(/127|\d{4}/)
  })

  test('silence ends after requestTimeoutMs', async () => {
    await using running = await startBrokerWithDex({ client: orders, requestTimeoutMs: 60 })
    running.dex.setFault('token', { kind: 'hang' })
    const failure = await failureOf(running.broker.getToken())
    expect(failure).toMatchObject({ code: 'token_endpoint_unavailable', status: 503 })
    expect(failure.message).toBe('the token endpoint timed out')
  })

  test('a transport that throws something of its own is still token_endpoint_unavailable', async () => {
    await using running = await startBrokerWithDex({
      client: orders,
      transport: () => {
        throw 'a string'
      },
    })
    expect((await failureOf(running.broker.getToken())).code).toBe('token_endpoint_unavailable')
  })
})
