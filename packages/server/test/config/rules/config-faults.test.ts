import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/config/config-error.ts'
import { loadConfig } from '../../../src/config/load-config.ts'
import { faultsOf } from '../faults-of.ts'

const GATE = { JWKS_URL: 'https://auth.example.com/keys', STATIC_CLIENT_ID: 'reports' }

describe('a fault of one variable', () => {
  it.each([
    ['LISTEN_ADDR', '8080', '"8080" is not host:port (a port alone is written with a colon)'],
    ['ADMIN_ADDR', 'none', '"none" is not host:port'],
    ['HTTP_TIMEOUT', '5 seconds', '"5 seconds" is not a duration'],
    ['HTTP_TIMEOUT', '5', '"5" is not a duration'],
    ['HTTP_TIMEOUT', '-5s', '"-5s" is negative'],
    ['HTTP_TIMEOUT', '596h31m23.648s', '"596h31m23.648s" is longer than 596h31m23.647s'],
    ['SHUTDOWN_TIMEOUT', '9999999999h', '"9999999999h" is longer than 596h31m23.647s'],
    ['CACHE_CLEANUP_INTERVAL', '-1ns', '"-1ns" is negative'],
    ['EXPIRY_SAFETY_MARGIN', 'x', '"x" is not a duration'],
    ['NEGATIVE_CACHE_TTL', '-1s', '"-1s" is negative'],
    ['MAX_TOKEN_AGE', '-1s', '"-1s" is negative'],
    ['MAX_TOKEN_AGE', '1d', '"1d" is not a duration'],
    ['REFRESH_AHEAD_RATIO', '0', '"0" is not above 0'],
    ['REFRESH_AHEAD_RATIO', '0.000', '"0.000" is not above 0'],
    ['REFRESH_AHEAD_RATIO', '1e-999', '"1e-999" is not above 0'],
    ['REFRESH_AHEAD_RATIO', '1.0001', '"1.0001" is more than 1'],
    ['REFRESH_AHEAD_RATIO', '80', '"80" is more than 1'],
    ['REFRESH_AHEAD_RATIO', '80%', '"80%" is not a number above 0'],
    ['REFRESH_AHEAD_RATIO', '-0.5', '"-0.5" is not a number above 0'],
    ['REFRESH_AHEAD_RATIO', '0,8', '"0,8" is not a number above 0'],
    ['REFRESH_AHEAD_RATIO', '0x1', '"0x1" is not a number above 0'],
    ['REFRESH_AHEAD_RATIO', 'NaN', '"NaN" is not a number above 0'],
    ['REFRESH_AHEAD_RATIO', '.', '"." is not a number above 0'],
    ['DEX_ISSUER', 'dex', '"dex" does not start with https:// or http://'],
    ['DEX_ISSUER', 'https://dex/?', '"https://dex/?..." has a query (?...)'],
    ['DEX_ISSUER', 'https://dex/#', '"https://dex/#" has a fragment (#...)'],
    ['DEX_ISSUER', 'https://dex ', '"https://dex " contains a blank, a line break or a backslash'],
    [
      'DEX_ISSUER',
      'https://u:hunter2@dex',
      'contains user information (user:password@), which is never used',
    ],
    [
      'DEX_ISSUER',
      'http://dex:5556/dex',
      '"http://dex:5556/dex" is not https; on a network that you trust, set ALLOW_INSECURE_DEX_URL=true',
    ],
    ['JWKS_MAX_AGE', '999ms', '"999ms" is shorter than 1s'],
    ['JWKS_MAX_AGE', '0', '"0" is shorter than 1s'],
    ['JWT_CLOCK_TOLERANCE', '1d', '"1d" is not a duration'],
    ['CACHE_MAX_ENTRIES', '1_000', '"1_000" is not a whole number'],
    ['CACHE_MAX_ENTRIES', '-1', '"-1" is negative'],
    ['CACHE_MAX_ENTRIES', '1000001', '"1000001" is more than 1000000'],
    [
      'ALLOW_INSECURE_DEX_URL',
      'yes',
      '"yes" is not true (1, t, T, TRUE, True) or false (0, f, F, FALSE, False)',
    ],
    [
      'STRIP_CREDENTIAL_HEADERS',
      'off',
      '"off" is not true (1, t, T, TRUE, True) or false (0, f, F, FALSE, False)',
    ],
    ['CLIENT_AUTH_METHOD', 'basic', '"basic" is not one of client_secret_basic, client_secret_post'],
    ['LOG_FORMAT', 'JSON', '"JSON" is not one of json, text'],
    ['LOG_LEVEL', 'verbose', '"verbose" is not one of DEBUG, INFO, WARN, ERROR (with an offset: INFO+2)'],
    ['UPSTREAM_AUTH_HEADER', 'Auth Header', '"Auth Header" is not a header name'],
    ['CLIENT_ID_HEADER', 'Host', '"Host" decides where the request goes'],
    ['CLIENT_SECRET_HEADER', 'te', '"te" is a hop-by-hop header'],
    ['SCOPE_HEADER', 'x-envoy-scope', '"x-envoy-scope" is a control header of Envoy'],
    ['JWT_HEADER', 'content-length', '"content-length" describes the body of the message'],
    ['UPSTREAM_TOKEN_HEADERS', 'a:host', '"a:host": "host" decides where the request goes'],
    ['DEX_TOKEN_URL', 'dex/token', '"dex/token" does not start with https:// or http://'],
    [
      'DEX_TOKEN_URL',
      'http://dex/token',
      '"http://dex/token" is not https; on a network that you trust, set ALLOW_INSECURE_DEX_URL=true',
    ],
    ['DEX_TOKEN_URL', 'https://u:p@dex/', 'contains user information (user:password@), which is never used'],
    ['STATIC_CLIENT_ID', 'i'.repeat(257), 'has 257 characters, more than 256'],
    ['STATIC_CLIENT_ID', 'a\u0085b', 'contains a control character'],
    ['STATIC_CLIENT_SECRET', 's'.repeat(4097), 'has 4097 characters, more than 4096'],
    ['STATIC_CLIENT_SECRET', 'hunter2\n', 'ends with a line break'],
    ['STATIC_CLIENT_SECRET', 'hunter\u007f2', 'contains a control character'],
    ['STATIC_CLIENT_SECRET', 'hunter\ud800', 'is not well-formed Unicode'],
    ['STATIC_SCOPE', 's'.repeat(1025), 'has 1025 characters, more than 1024'],
    ['STATIC_SCOPE', 'öpenid', 'contains a character that is not printable ASCII'],
    ['STATIC_AUDIENCES', 'orders "x"', '"\\"x\\"" contains a character that a scope cannot contain'],
  ])('%s=%j is named', (variable, value, problem) => {
    expect(faultsOf({ [variable]: value })).toEqual([`${variable}: ${problem}`])
  })

  it.each([
    ['STATIC_CLIENT_ID', 256],
    ['STATIC_CLIENT_SECRET', 4096],
    ['STATIC_SCOPE', 1024],
  ])('%s may have %d characters', (variable, limit) => {
    expect(faultsOf({ [variable]: 'x'.repeat(limit) })).toEqual([])
  })

  it('quotes no more than the beginning of a long value', () => {
    expect(faultsOf({ LOG_FORMAT: 'x'.repeat(5000) })[0]?.length).toBeLessThan(200)
  })
})

describe('a fault between variables', () => {
  it.each([
    ['JWT_ISSUER', 'https://auth.example.com'],
    ['JWT_AUDIENCE', 'orders'],
  ])('%s without JWKS_URL and DEX_ISSUER is refused, because it is no gate', (variable, value) => {
    expect(faultsOf({ [variable]: value, STATIC_CLIENT_ID: 'reports' })).toEqual([
      `JWKS_URL: must be set, or DEX_ISSUER, because ${variable} is: a JWT needs keys to be checked`,
    ])
  })

  const fixed = { STATIC_CLIENT_ID: 'reports', STATIC_CLIENT_SECRET: 'secret' }

  it.each<[string, NodeJS.ProcessEnv, string]>([
    ['empty', { ...fixed, DEX_ISSUER: 'https://dex.example.com', JWT_AUDIENCE: '' }, 'DEX_ISSUER is set'],
    ['left out beside DEX_ISSUER', { ...fixed, DEX_ISSUER: 'https://dex.example.com' }, 'DEX_ISSUER is set'],
    [
      'empty, without DEX_ISSUER',
      { ...fixed, JWKS_URL: '' },
      '"JWKS_URL" is present but does not enable the gate',
    ],
    [
      'misspelt',
      { ...fixed, JWT_AUDIENC: 'orders' },
      '"JWT_AUDIENC" is present but does not enable the gate',
    ],
    [
      'in lower case',
      { ...fixed, jwt_audience: 'orders' },
      '"jwt_audience" is present but does not enable the gate',
    ],
    [
      'misspelt at its beginning',
      { ...fixed, JTW_AUDIENCE: 'orders' },
      '"JTW_AUDIENCE" is present but does not enable the gate',
    ],
    [
      'a header alone',
      { ...fixed, JWT_HEADER: 'x-jwt' },
      '"JWT_HEADER" is present but does not enable the gate',
    ],
    [
      'empty, and the id is left to callers',
      { STATIC_CLIENT_SECRET: 'secret', JWT_ISSUER: '' },
      '"JWT_ISSUER" is present but does not enable the gate',
    ],
  ])(
    'a fixed secret with a gate that is %s does not start, unless callers without a JWT are meant',
    (_, env, reason) => {
      expect(faultsOf(env)).toEqual([
        `JWT_AUDIENCE: must be set, because ${reason}: without a JWT gate, every caller that reaches the check listener gets a token by the static secret; if you want that, set ALLOW_UNAUTHENTICATED_CALLERS=true`,
      ])
      expect(faultsOf({ ...env, ALLOW_UNAUTHENTICATED_CALLERS: 'true' })).toEqual([])
    },
  )

  it.each<[string, NodeJS.ProcessEnv]>([
    ['no sign of a gate', fixed],
    ['a fixed id alone', { STATIC_CLIENT_ID: 'reports', JWT_HEADER: '' }],
    [
      'variables that Kubernetes makes for a service',
      { ...fixed, JWT_AUTH_SERVICE_HOST: '10.0.0.1', JWT_AUTH_PORT: 'tcp://10.0.0.1:80' },
    ],
  ])('%s starts as ever', (_, env) => {
    expect(faultsOf(env)).toEqual([])
  })

  it('DEX_ISSUER gives the gate its keys, and alone it is no gate', () => {
    const env = { DEX_ISSUER: 'https://dex.example.com', STATIC_CLIENT_ID: 'reports' }
    expect(faultsOf({ ...env, JWT_AUDIENCE: 'orders' })).toEqual([])
    expect(faultsOf({ ...env, STATIC_CLIENT_ID: '' })).toEqual([])
  })

  it('a gate needs STATIC_CLIENT_ID', () => {
    expect(faultsOf({ JWKS_URL: GATE.JWKS_URL })).toEqual([
      "STATIC_CLIENT_ID: must be set, because JWKS_URL is: a JWT replaces the caller's client id",
    ])
  })

  it('JWT_AUDIENCE that names nothing is refused, because it would let everything pass', () => {
    expect(faultsOf({ ...GATE, JWT_AUDIENCE: ' , ' })).toEqual(['JWT_AUDIENCE: " , " names no audience'])
  })

  it('JWKS_URL has to be https as well', () => {
    expect(faultsOf({ ...GATE, JWKS_URL: 'http://auth/keys' })[0]).toMatch(/^JWKS_URL: .* is not https/)
  })

  it('JWKS_MAX_STALE is at least JWKS_MAX_AGE', () => {
    expect(faultsOf({ JWKS_MAX_AGE: '2h' })).toEqual(['JWKS_MAX_STALE: is 1h, less than JWKS_MAX_AGE (2h)'])
  })

  it('no token field is mapped onto UPSTREAM_AUTH_HEADER, in whatever case', () => {
    const env = { UPSTREAM_AUTH_HEADER: 'X-Auth', UPSTREAM_TOKEN_HEADERS: 'id_token:x-AUTH' }
    expect(faultsOf(env)).toEqual([
      'UPSTREAM_TOKEN_HEADERS: maps "id_token" onto "x-auth", which is UPSTREAM_AUTH_HEADER and carries the bearer token',
    ])
  })

  it('one request header cannot carry two credentials', () => {
    expect(faultsOf({ CLIENT_SECRET_HEADER: 'X-Client-Id' })).toEqual([
      'CLIENT_SECRET_HEADER: is "x-client-id", the same header as CLIENT_ID_HEADER',
    ])
  })

  it('the JWT has a header of its own while there is a gate', () => {
    expect(faultsOf({ JWT_HEADER: 'x-scope' })).toEqual([])
    expect(faultsOf({ ...GATE, JWT_HEADER: 'x-scope' })).toEqual([
      'JWT_HEADER: is "x-scope", the same header as SCOPE_HEADER',
    ])
    const gateOfDex = { DEX_ISSUER: 'https://dex', JWT_AUDIENCE: 'orders', STATIC_CLIENT_ID: 'reports' }
    expect(faultsOf({ ...gateOfDex, JWT_HEADER: 'X-Client-Secret' })).toEqual([
      'JWT_HEADER: is "x-client-secret", the same header as CLIENT_SECRET_HEADER',
    ])
  })

  it('Basic credentials have the header authorization for themselves', () => {
    const env = { ACCEPT_BASIC: 'true' }
    expect(faultsOf(env)).toEqual([])
    expect(faultsOf({ ...GATE, ...env, JWT_HEADER: 'x-jwt' })).toEqual([])
    expect(faultsOf({ ...GATE, ACCEPT_BASIC: 'false' })).toEqual([])
    expect(faultsOf({ ...env, JWT_HEADER: 'authorization' })).toEqual([])
    for (const header of [{}, { JWT_HEADER: 'Authorization' }]) {
      expect(faultsOf({ ...GATE, ...env, ...header })).toEqual([
        'JWT_HEADER: must be another header than authorization, because ACCEPT_BASIC is true: the header cannot carry a JWT and Basic credentials',
      ])
    }
    expect(faultsOf({ ...env, CLIENT_SECRET_HEADER: 'Authorization' })).toEqual([
      'CLIENT_SECRET_HEADER: is "authorization", which carries Basic credentials with ACCEPT_BASIC',
    ])
    expect(faultsOf({ ACCEPT_BASIC: 'maybe' })).toHaveLength(1)
  })

  it('the scope that STATIC_AUDIENCES makes with STATIC_SCOPE is not too long', () => {
    const env = { STATIC_SCOPE: 's'.repeat(1024 - 33), STATIC_AUDIENCES: 'orders' }
    expect(faultsOf(env)).toEqual([])
    expect(faultsOf({ ...env, STATIC_AUDIENCES: 'orders2' })).toEqual([
      'STATIC_AUDIENCES: makes a scope of 1025 characters together with STATIC_SCOPE, more than 1024',
    ])
  })

  it('no two listeners can be set to one address', () => {
    expect(faultsOf({ LISTEN_ADDR: ':9000', GRPC_LISTEN_ADDR: ':9000' })).toEqual([
      'GRPC_LISTEN_ADDR: is the same address as LISTEN_ADDR',
    ])
    expect(faultsOf({ GRPC_LISTEN_ADDR: '127.0.0.1:9000', ADMIN_ADDR: '127.0.0.1:9000' })).toEqual([
      'GRPC_LISTEN_ADDR: is the same address as ADMIN_ADDR',
    ])
    expect(faultsOf({ LISTEN_ADDR: ':0', GRPC_LISTEN_ADDR: ':0' })).toEqual([])
    expect(faultsOf({ LISTEN_ADDR: ':9000', GRPC_LISTEN_ADDR: 'off' })).toEqual([])
    expect(faultsOf({ LISTEN_ADDR: ':9000', ADMIN_ADDR: ':9000' })).toEqual([
      'ADMIN_ADDR: is the same address as LISTEN_ADDR',
    ])
    expect(faultsOf({ LISTEN_ADDR: ':0', ADMIN_ADDR: ':0' })).toEqual([])
  })
})

describe('ConfigError', () => {
  it('lists every fault at once, one per line, with an example', () => {
    const env = {
      HTTP_TIMEOUT: '5 seconds',
      CACHE_MAX_ENTRIES: 'many',
      UPSTREAM_TOKEN_HEADERS: 'a:host,b:te',
      JWT_ISSUER: 'https://auth.example.com',
      DEX_TOKEN_URL: 'http://dex/token',
    }
    const message = messageOf(env)
    expect(message.split('\n').map(line => line.split(':')[0])).toEqual([
      'HTTP_TIMEOUT',
      'UPSTREAM_TOKEN_HEADERS',
      'UPSTREAM_TOKEN_HEADERS',
      'CACHE_MAX_ENTRIES',
      'DEX_TOKEN_URL',
      'JWKS_URL',
      'STATIC_CLIENT_ID',
    ])
    expect(message).toContain('HTTP_TIMEOUT: "5 seconds" is not a duration; example: HTTP_TIMEOUT=5s')
  })

  it('never holds the secret, whatever is wrong with it', () => {
    const secret = fc.string({ unit: 'binary', minLength: 12, maxLength: 5000 })
    fc.assert(
      fc.property(secret, value => {
        const message = messageOf({ STATIC_CLIENT_SECRET: `${value}\u0000`, HTTP_TIMEOUT: 'x' })
        expect(message).not.toContain(value)
        expect(message).not.toContain(JSON.stringify(value).slice(1, -1))
        expect(message).toMatch(/^STATIC_CLIENT_SECRET: .*contains a control character/m)
      }),
    )
  })
})

function messageOf(env: NodeJS.ProcessEnv): string {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  throw new Error('the environment was accepted')
}
