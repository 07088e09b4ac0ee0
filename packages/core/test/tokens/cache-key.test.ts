import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CacheKeys } from '../../src/clients/cache-key.ts'
import type { ClientCredentials } from '../../src/clients/client-credentials.ts'
import { ownParameters, type RequestParts, requestParameters } from '../../src/clients/request-parameters.ts'
import { tokenRequest } from '../../src/tokens/dex/token-request.ts'
import { startBrokerWithDex } from '../broker-with-dex.ts'

const endpoint = 'https://dex.example.com/token'
const keys = new CacheKeys(endpoint, 'client_secret_basic', randomBytes(16))

const part = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('a', '|', ':', '1', '\0') }),
)
const scope = fc
  .array(fc.constantFrom('openid', 'email', 'groups', 'a', 'aa'))
  .map(scopes => scopes.join(' '))
const words = fc.constantFrom('a', 'b', 'scope', 'resource', 'a=b&scope=c', '1:a', 'é')
const exchange = fc.record({
  subject: fc.record({
    issuer: fc.constant('https://idp.example.com'),
    subject: fc.constant('ada'),
    token: words,
    expiresAt: fc.constant(0),
  }),
  subjectTokenType: fc.constantFrom('id_token' as const, 'access_token' as const),
  connectorId: words,
})
const sent = {
  scope,
  resource: fc.array(words, { maxLength: 3 }),
  extraParams: fc.array(fc.tuple(words, words), { maxLength: 3 }),
  exchange: fc.option(exchange, { nil: undefined }),
}
// One arbitrary for each member, so that a new one is covered.
const requestParts: { readonly [Name in keyof Required<RequestParts>]: fc.Arbitrary<unknown> } = sent
const credentials = fc.record({ ...sent, clientId: part, clientSecret: part, configured: fc.boolean() })
const scopesOf = (scope: string) => [...new Set(scope.split(' ').filter(Boolean))].sort().join(' ')

/** Two requests that have parts in common, as few of which as possible differ. */
const twoCredentials = fc
  .tuple(credentials, credentials, fc.subarray(['clientId', 'clientSecret', ...Object.keys(sent)] as const))
  .map(([a, b, kept]) => {
    const common = Object.fromEntries(kept.map(name => [name, a[name as keyof typeof a]]))
    return [a, { ...b, ...common } as typeof a] as const
  })

/** What leaves the process for a request, with its scopes in order. */
function wireForm(request: ClientCredentials): string {
  const { headers, body } = tokenRequest(
    { ...request, scope: scopesOf(request.scope) },
    {
      authMethod: 'client_secret_basic',
      userAgent: 'test',
      signal: AbortSignal.abort(),
      trace: {},
      maxBodyBytes: 0,
    },
  )
  return JSON.stringify([headers, body])
}

describe('the key of a token', () => {
  test('differs exactly when the requests differ on the wire, the order of scopes aside', () => {
    fc.assert(
      fc.property(twoCredentials, ([a, b]) => {
        expect(keys.ofToken(a) === keys.ofToken(b)).toBe(wireForm(a) === wireForm(b))
      }),
      { numRuns: 5_000 },
    )
  })

  test.each(Object.keys(requestParts))('differs when only %s differs on the wire', name => {
    const other = fc.record({ [name]: requestParts[name as keyof RequestParts] })
    fc.assert(
      fc.property(credentials, other, (a, changed) => {
        const b = { ...a, ...changed }
        expect(keys.ofToken(a) === keys.ofToken(b)).toBe(wireForm(a) === wireForm(b))
      }),
      { numRuns: 500 },
    )
  })

  test('differs when one character moves from one field to the next', () => {
    fc.assert(
      fc.property(part, part, fc.nat(), (clientId, clientSecret, at) => {
        const joined = [...(clientId + clientSecret)]
        const cut = at % (joined.length + 1)
        const moved = { clientId: joined.slice(0, cut).join(''), clientSecret: joined.slice(cut).join('') }
        const same = moved.clientId === clientId
        const keyOf = (request: { clientId: string; clientSecret: string }) =>
          keys.ofToken({ ...request, scope: '', configured: false })
        expect(keyOf({ clientId, clientSecret }) === keyOf(moved)).toBe(same)
      }),
      { numRuns: 1_000 },
    )
  })

  test('does not depend on the order of scopes, on repeated ones, or on who configured them', () => {
    fc.assert(
      fc.property(credentials, fc.nat(), (request, turns) => {
        const scopes = request.scope.split(' ')
        const turned = [
          ...scopes.slice(turns % scopes.length),
          ...scopes,
          '',
          ...scopes.slice(0, turns % scopes.length),
        ]
        const other = { ...request, scope: turned.join(' '), configured: !request.configured }
        expect(keys.ofToken(other)).toBe(keys.ofToken(request))
      }),
    )
  })

  test('is never the key of a client, and tells nothing about the secret', () => {
    const request = { clientId: 'orders', clientSecret: 'orders-secret', scope: '', configured: false }
    expect(keys.ofToken(request)).not.toBe(keys.ofClient(request))
    expect(keys.ofToken(request)).toMatch(/^[\w-]{43}$/)
  })

  test('differs between endpoints, between ways to authenticate, and between processes', () => {
    const request = { clientId: 'orders', clientSecret: 'orders-secret', scope: '', configured: false }
    const salt = Buffer.from('the same salt')
    const made = [
      new CacheKeys(endpoint, 'client_secret_basic', salt),
      new CacheKeys(endpoint, 'client_secret_post', salt),
      new CacheKeys(`${endpoint}/`, 'client_secret_basic', salt),
      new CacheKeys(endpoint, 'client_secret_basic', randomBytes(16)),
      new CacheKeys(endpoint, 'client_secret_basic', randomBytes(16)),
    ]
    expect(new Set(made.map(each => each.ofToken(request))).size).toBe(made.length)
  })
})

describe('the record of a token', () => {
  test('differs exactly when the key of the token does, and is the same in every process', () => {
    const elsewhere = new CacheKeys(endpoint, 'client_secret_basic', randomBytes(16))
    fc.assert(
      fc.property(twoCredentials, ([a, b]) => {
        const isSameKey = keys.ofToken(a) === keys.ofToken(b)
        expect(keys.ofRecord(a, []) === elsewhere.ofRecord(b, [])).toBe(isSameKey)
      }),
      { numRuns: 2_000 },
    )
  })

  test('differs between fields of the token response, whatever their order', () => {
    const request = { clientId: 'orders', clientSecret: 'orders-secret', scope: '', configured: false }
    const record = (...fields: string[]) => keys.ofRecord(request, fields)
    expect(record('id_token', 'expires_in')).toBe(record('expires_in', 'id_token', 'id_token'))
    expect(new Set([record(), record('a'), record('a', 'b'), record('ab'), record('1:a')]).size).toBe(5)
  })

  test('differs between endpoints and between ways to authenticate', () => {
    const request = { clientId: 'orders', clientSecret: 'orders-secret', scope: '', configured: false }
    const salt = randomBytes(16)
    const made = [
      keys,
      new CacheKeys(endpoint, 'client_secret_post', salt),
      new CacheKeys(`${endpoint}/`, 'client_secret_basic', salt),
    ]
    expect(new Set(made.map(each => each.ofRecord(request, []))).size).toBe(made.length)
  })
})

describe('the parameters of a request', () => {
  test.each(['client_secret_basic', 'client_secret_post'] as const)(
    'are refused as additional ones: all that %s sends',
    authMethod => {
      fc.assert(
        fc.property(credentials, request => {
          const { body } = tokenRequest(
            { ...request, extraParams: [] },
            { authMethod, userAgent: 'test', signal: AbortSignal.abort(), trace: {}, maxBodyBytes: 0 },
          )
          const names = [...new URLSearchParams(body as string).keys()]
          expect(names.filter(name => !ownParameters.includes(name as never))).toEqual([])
        }),
      )
    },
  )

  test('have no scope when it is blank alone', () => {
    expect(requestParameters({ scope: ' ' })).toEqual(requestParameters({ scope: '' }))
  })
})

describe('the key of an exchange without its subject token', () => {
  test('covers everything else that is sent', () => {
    fc.assert(
      fc.property(twoCredentials, exchange, ([a, b], { subject }) => {
        const [one, other] = [a, b].map(request => ({
          ...request,
          exchange: request.exchange && { ...request.exchange, subject },
        })) as [typeof a, typeof b]
        expect(keys.ofExchange(a) === keys.ofExchange(b)).toBe(wireForm(one) === wireForm(other))
      }),
      { numRuns: 1_000 },
    )
  })
})

test('the client "a|b" with scope "c" never gets the token of client "a" with scope "b|c"', async () => {
  const secret = 'the-same'
  await using running = await startBrokerWithDex(
    { client: { clientSecret: secret } },
    {
      clients: [
        { id: 'a|b', secret },
        { id: 'a', secret },
        { id: 'a|b|c', secret },
      ],
    },
  )
  const [first, second, third] = await Promise.all([
    running.broker.getToken({ clientId: 'a|b', scope: 'email' }),
    running.broker.getToken({ clientId: 'a', scope: 'openid' }),
    running.broker.getToken({ clientId: 'a|b|c' }),
  ])
  expect(new Set([first, second, third]).size).toBe(3)
  expect(running.dex.counts.tokenRequests).toBe(3)
})

test('four spellings of one scope are one token and one request', async () => {
  await using running = await startBrokerWithDex({
    client: { clientId: 'orders', clientSecret: 'orders-secret' },
  })
  for (const scope of ['openid email', 'email openid', 'openid  email ', 'email openid email']) {
    await running.broker.getToken({ scope })
  }
  expect(running.dex.counts.tokenRequests).toBe(1)
})
