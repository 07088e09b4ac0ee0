import { MemoryTokenStore } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../src/options/broker-options.ts'
import { hintText } from '../src/shared/hint.ts'
import { TokenBroker } from '../src/token-broker.ts'
import { failureOf } from './broker-with-dex.ts'

const tokenEndpoint = 'https://dex.example.com/token'
const jwksUri = 'https://issuer.example.com/keys'

function make(options: Record<string, unknown>): void {
  const broker = new TokenBroker({ tokenEndpoint, ...options } as unknown as TokenBrokerOptions)
  void broker.close()
}

const sharedStore = new MemoryTokenStore({ wall: () => 0 }).handle()
const sealKey = Buffer.alloc(32, 1).toString('base64')

/** An option's name, the options, and nothing else: each must be refused by that name. */
const wrong: [string, Record<string, unknown>][] = [
  ...[undefined, null, 5, '', 'dex', '/token', '//dex/token', 'ftp://dex/token', 'file:///token'].map(
    (url): [string, Record<string, unknown>] => ['tokenEndpoint', { tokenEndpoint: url }],
  ),
  ['tokenEndpoint', { tokenEndpoint: 'https://id:secret@dex.example.com/token' }],
  ['tokenEndpoint', { tokenEndpoint: 'https://dex.example.com/token#x' }],
  ...['none', 'CLIENT_SECRET_BASIC', null, 5].map((clientAuthMethod): [string, Record<string, unknown>] => [
    'clientAuthMethod',
    { clientAuthMethod },
  ]),
  ['client.clientId', { client: { clientId: 5 } }],
  ['client.clientSecret', { client: { clientSecret: ['s'] } }],
  ['client.scope', { client: { scope: ['openid'] } }],
  ['client.audiences', { client: { audiences: 'billing' } }],
  ['client.audiences', { client: { audiences: [5] } }],
  ['client', { client: { audiences: ['billing admin'] } }],
  ['client', { client: { clientId: 'i'.repeat(257) } }],
  ['client', { client: { clientSecret: 's'.repeat(4_097) } }],
  ['client', { client: { clientSecret: '\ud800' } }],
  ['client', { client: { scope: 'é' } }],
  ['client', { client: { scope: 's'.repeat(1_025) } }],
  ['sharedStore', { sharedStore: 'redis://redis.example.com' }],
  ['sharedStore.url', { sharedStore: { url: 'redis://redis.example.com' } }],
  ['sharedStore.store', { sharedStore: { keys: [sealKey] } }],
  ['sharedStore.store', { sharedStore: { store: { get() {} }, keys: [sealKey] } }],
  ...[undefined, sealKey, [], [5]].map((keys): [string, Record<string, unknown>] => [
    'sharedStore.keys',
    { sharedStore: { store: sharedStore, keys } },
  ]),
  ['sharedStore.keys\\[1\\]', { sharedStore: { store: sharedStore, keys: [sealKey, 'c2hvcnQ='] } }],
  ['sharedStore.keys\\[1\\]', { sharedStore: { store: sharedStore, keys: [sealKey, sealKey] } }],
  ...[0, 10_001, '50', Number.NaN].map((timeoutMs): [string, Record<string, unknown>] => [
    'sharedStore.timeoutMs',
    { sharedStore: { store: sharedStore, keys: [sealKey], timeoutMs } },
  ]),
  ['gate.jwksUri', { gate: {} }],
  ...[true, false, 0, '', 'on', []].map((gate): [string, Record<string, unknown>] => ['gate', { gate }]),
  ['gate.jwksUri', { gate: { jwksUri: 'http://issuer.example.com/keys' } }],
  ['gate.issuer', { gate: { jwksUri, issuer: 5 } }],
  ['gate.issuer', { gate: { jwksUri, issuer: '' } }],
  ['gate.audience', { gate: { jwksUri, audience: '' } }],
  ['gate.audience', { gate: { jwksUri, audience: [] } }],
  ['gate.audience', { gate: { jwksUri, audience: ['svc', ''] } }],
  ['gate.audience', { gate: { jwksUri, audience: 5 } }],
  ['gate.audience', { gate: { jwksUri, audience: {} } }],
  ['gate.audience', { gate: { jwksUri, audience: ['svc', 5] } }],
  ['gate.jwtHeader', { gate: { jwksUri, jwtHeader: 'x jwt' } }],
  ['gate.jwtHeader', { gate: { jwksUri, jwtHeader: 'Host' } }],
  ['gate.clockToleranceMs', { gate: { jwksUri, clockToleranceMs: -1 } }],
  ['gate.clockToleranceMs', { gate: { jwksUri, clockToleranceMs: '5s' } }],
  ['gate.jwksMaxAgeMs', { gate: { jwksUri, jwksMaxAgeMs: 0 } }],
  ['gate.jwksMaxStaleMs', { gate: { jwksUri, jwksMaxAgeMs: 60_000, jwksMaxStaleMs: 59_999 } }],
  ...['', 'a b', 'a:b', 'é', 'a\r\nb', 5, null, {}].map((name): [string, Record<string, unknown>] => [
    'tokenHeaders.id_token',
    { tokenHeaders: { id_token: [name] } },
  ]),
  ['tokenHeaders.id_token', { tokenHeaders: { id_token: 5 } }],
  ['tokenHeaders.id_token', { tokenHeaders: { id_token: null } }],
  ['tokenHeaders', { tokenHeaders: 'id_token:x-id-token' }],
  ['tokenHeaders', { tokenHeaders: ['id_token'] }],
  ['userAgent', { userAgent: '' }],
  ['userAgent', { userAgent: 'shop\r\nx-evil: 1' }],
  ['userAgent', { userAgent: 5 }],
  ['authorizationHeader', { authorizationHeader: '' }],
  ['authorizationHeader', { authorizationHeader: ':authority' }],
  ['authorizationHeader', { authorizationHeader: 'Host' }],
  ...['clientId', 'clientSecret', 'scope'].map((part): [string, Record<string, unknown>] => [
    `credentialHeaders.${part}`,
    { credentialHeaders: { [part]: 'x client' } },
  ]),
  ['credentialHeaders.strip', { credentialHeaders: { strip: 'false' } }],
  ...['requestTimeoutMs', 'cacheCleanupIntervalMs'].flatMap(option =>
    [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5000', 5n].map(
      (value): [string, Record<string, unknown>] => [option, { [option]: value }],
    ),
  ),
  ...['expirySafetyMarginMs', 'negativeCacheTtlMs'].flatMap(option =>
    [-1, Number.NaN, 2 ** 31, '0'].map((value): [string, Record<string, unknown>] => [
      option,
      { [option]: value },
    ]),
  ),
  ...[-1, 1.5, 1_000_001, Number.NaN, '10'].map((cacheMaxEntries): [string, Record<string, unknown>] => [
    'cacheMaxEntries',
    { cacheMaxEntries },
  ]),
  ['allowInsecureUrls', { allowInsecureUrls: 'false' }],
  ['transport', { transport: {} }],
  ['observe', { observe: 'x' }],
  ['clock', { clock: { wall: Date.now } }],
  ['clock', { clock: Date.now }],
  ['logger', { logger: { info() {} } }],
  ...['client', 'gate', 'credentialHeaders', 'tokenHeaders'].flatMap(option =>
    [Promise.resolve({}), [], new Map(), new Headers(), new Date(), 'x', 5].map(
      (value): [string, Record<string, unknown>] => [option, { [option]: value }],
    ),
  ),
]

describe('a wrong option', () => {
  test.each(wrong)('is a TypeError that starts with its name: %s %#', (name, options) => {
    expect(() => make(options)).toThrow(TypeError)
    expect(() => make(options)).toThrow(new RegExp(`^${name.replaceAll('.', '\\.')}[: ]`))
  })

  test.each([
    'Connection',
    'Content-Length',
    'content-type',
    'Content-Encoding',
    'Cache-Control',
    'Expect',
    'Host',
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'x-envoy-auth-headers-to-remove',
    'X-Envoy-Retry-On',
    'Authorization',
    ':path',
  ])('a field of the token must not be mapped onto %s', header => {
    const reservedHeaderPrefixes = { 'x-envoy-': 'is a control header of Envoy' }
    expect(() => make({ tokenHeaders: { expires_in: header }, reservedHeaderPrefixes })).toThrow(
      /^tokenHeaders\.expires_in/,
    )
  })

  test('two fields must not be mapped onto one header, in whatever case', () => {
    const tokenHeaders = { id_token: 'x-token', access_token: ['x-other', 'X-Token'] }
    expect(() => make({ tokenHeaders })).toThrow(/^tokenHeaders\.access_token: x-token is already set/)
  })
})

describe('plain http', () => {
  test.each([
    'http://127.0.0.1:5556/dex/token',
    'http://127.8.9.1/token',
    'http://127.1/token',
    'http://[::1]:5556/token',
    'http://localhost/token',
    'http://LOCALHOST/token',
  ])('is allowed on loopback: %s', url => {
    make({ tokenEndpoint: url })
  })

  test.each([
    'http://dex/token',
    'http://localhost.example.com/token',
    'http://127.0.0.1.example.com/token',
    'http://127.0.0.1@dex.example.com/token',
    'http://128.0.0.1/token',
    'http://0.0.0.0/token',
    'http://[::2]/token',
    'http://10.0.0.1/token',
    'http://[::ffff:10.0.0.1]/token',
    'http://localhost@10.0.0.1/token',
  ])('is refused elsewhere: %s', url => {
    expect(() => make({ tokenEndpoint: url })).toThrow(/^tokenEndpoint /)
    expect(() => make({ gate: { jwksUri: url } })).toThrow(/^gate\.jwksUri /)
  })

  test('is allowed elsewhere when the operator insists', () => {
    make({
      tokenEndpoint: 'http://dex/token',
      gate: { jwksUri: 'http://dex/keys' },
      allowInsecureUrls: true,
    })
  })
})

describe('what counts as left out', () => {
  test('undefined everywhere, and an empty part of the client', () => {
    make({ client: undefined, gate: undefined, clock: undefined, transport: undefined, observe: undefined })
    make({ client: { clientId: '', clientSecret: '', scope: '' }, tokenHeaders: {} })
  })

  test('a single audience is a list of one', () => {
    make({ gate: { jwksUri, audience: 'svc' } })
    make({ gate: { jwksUri, audience: ['svc', 'svc2'] } })
  })
})

test('it tells which headers a token may set, and which carry the credentials of a caller', () => {
  const tokenEndpoint = 'https://dex.test/token'
  const broker = new TokenBroker({ tokenEndpoint })
  expect(broker.tokenHeaders).toEqual(['authorization'])
  expect(broker.credentialHeaders).toEqual(['x-client-id', 'x-client-secret', 'x-scope', 'authorization'])
  const other = new TokenBroker({
    tokenEndpoint,
    authorizationHeader: 'X-Dex',
    tokenHeaders: { id_token: ['X-Id', 'x-id-2'] },
    credentialHeaders: { strip: false },
  })
  expect(other.tokenHeaders).toEqual(['x-dex', 'x-id', 'x-id-2'])
  expect(other.credentialHeaders).toEqual([])
})

describe('what is missing is said', () => {
  const messageOf = (make: () => unknown): string => {
    try {
      make()
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError)
      return (error as Error).message
    }
    return ''
  }

  test.each([undefined, null, 'https://dex.example.com', [], () => ({})])('options %j', options => {
    expect(messageOf(() => new TokenBroker(options as never))).toBe('options must be an object')
  })

  test.each([{}, { client: { clientId: 'i', clientSecret: 's' } }, { tokenEndpoint: undefined }])(
    'neither issuer nor tokenEndpoint: %j',
    options => {
      expect(messageOf(() => new TokenBroker(options))).toBe('tokenEndpoint or issuer is required')
    },
  )

  test.each([
    [{ clientId: 'i', clientSecret: '' }, 'client.clientSecret'],
    [{ clientId: '', clientSecret: 's' }, 'client.clientId'],
    [{ clientId: 'i', clientSecret: undefined }, 'client.clientSecret'],
    [{ clientId: undefined, clientSecret: 's' }, 'client.clientId'],
    [{}, undefined],
    [{ scope: 'groups' }, undefined],
  ])(
    'a token that needs the missing half of a client says which option it is: %j',
    async (client, option) => {
      await using broker = new TokenBroker({ tokenEndpoint, client })
      const { code, hint } = await failureOf(broker.getToken())
      expect(code).toBe('missing_credentials')
      expect(hint).toEqual(option && { problem: 'half_a_client', option })
      if (hint !== undefined) expect(hintText(hint)).toContain(`set ${option}`)
    },
  )
})
