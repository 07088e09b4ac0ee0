import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load-config.ts'

const FIXED = { STATIC_CLIENT_ID: 'reports', STATIC_CLIENT_SECRET: 'hunter2-hunter2', STATIC_SCOPE: 'openid' }
const GATE = { JWKS_URL: 'https://auth.example.com/keys', JWT_AUDIENCE: 'orders' }
const warningsOf = (env: NodeJS.ProcessEnv): readonly string[] => loadConfig(env).warnings

describe('the warnings of a configuration', () => {
  it.each([
    ['the defaults', {}],
    ['fixed credentials behind a complete gate', { ...FIXED, ...GATE }],
    ['a fixed id alone', { STATIC_CLIENT_ID: 'reports' }],
    ['http on loopback', { DEX_TOKEN_URL: 'http://localhost:5556/token' }],
    ['an issuer', { DEX_ISSUER: 'https://dex.example.com' }],
    [
      "a gate with Dex's own keys",
      { ...FIXED, DEX_ISSUER: 'https://dex.example.com', JWT_AUDIENCE: 'orders' },
    ],
    ['http allowed but not used', { ALLOW_INSECURE_DEX_URL: 'true' }],
  ])('is silent about %s', (_, env) => {
    expect(warningsOf(env)).toEqual([])
  })

  it('warns of fixed credentials without a gate, unless they are meant', () => {
    expect(warningsOf(FIXED)).toEqual([expect.stringContaining('without a JWT gate')])
    expect(warningsOf({ ...FIXED, ALLOW_UNAUTHENTICATED_CALLERS: 'true' })).toEqual([])
  })

  it('warns of a fixed secret for whoever names its id', () => {
    const env = { STATIC_CLIENT_SECRET: 'hunter2-hunter2', STATIC_SCOPE: 'openid' }
    expect(warningsOf(env)).toEqual([expect.stringContaining('every caller that knows the client id')])
    expect(warningsOf({ ...env, ALLOW_UNAUTHENTICATED_CALLERS: 'true' })).toEqual([])
  })

  it('warns of a scope that callers choose under the identity of the broker', () => {
    const warnings = warningsOf({ ...FIXED, ...GATE, STATIC_SCOPE: '', SCOPE_HEADER: 'X-Wanted' })
    expect(warnings).toEqual([expect.stringMatching(/without STATIC_SCOPE: .* x-wanted/)])
  })

  it('warns of Basic credentials that nobody reads', () => {
    const env = { ...FIXED, ALLOW_UNAUTHENTICATED_CALLERS: 'true', ACCEPT_BASIC: 'true' }
    expect(warningsOf(env)).toEqual([
      expect.stringContaining('ACCEPT_BASIC only removes Authorization from requests'),
    ])
    expect(warningsOf({ ACCEPT_BASIC: 'true' })).toEqual([])
    expect(warningsOf({ STATIC_CLIENT_ID: 'reports', ACCEPT_BASIC: 'true' })).toEqual([])
  })

  it('warns of a gate without an audience', () => {
    expect(warningsOf({ ...FIXED, ...GATE, JWT_AUDIENCE: '' })).toEqual([
      expect.stringContaining('without JWT_AUDIENCE'),
    ])
  })

  it("warns of a gate with Dex's own keys that is without an audience, or expects another issuer", () => {
    const env = { ...FIXED, DEX_ISSUER: 'https://dex.example.com' }
    expect(warningsOf({ ...env, JWT_ISSUER: 'https://dex.example.com' })).toEqual([
      expect.stringMatching(/Dex's keys.* without JWT_AUDIENCE/),
    ])
    expect(warningsOf({ ...env, JWT_ISSUER: 'https://dex.example.com/', JWT_AUDIENCE: 'orders' })).toEqual([
      expect.stringContaining('JWT_ISSUER differs from DEX_ISSUER'),
    ])
  })

  it('warns of each URL that is plain http beyond loopback', () => {
    const env = {
      ALLOW_INSECURE_DEX_URL: 'true',
      DEX_TOKEN_URL: 'http://dex/token',
      JWKS_URL: 'http://dex/keys',
      DEX_JWKS_URL: 'http://dex/own-keys',
      DEX_ISSUER: 'http://dex',
    }
    expect(warningsOf({ ...FIXED, ...GATE, ...env })).toEqual([
      expect.stringMatching(/^DEX_ISSUER is not https/),
      expect.stringMatching(/^DEX_TOKEN_URL is not https/),
      expect.stringMatching(/^DEX_JWKS_URL is not https/),
      expect.stringMatching(/^JWKS_URL is not https/),
    ])
  })

  it('never holds the secret', () => {
    expect(warningsOf(FIXED).join()).not.toContain('hunter2')
  })

  it('names each gate variable that is empty where a fixed id expects a gate', () => {
    const env = { STATIC_CLIENT_ID: 'reports', DEX_ISSUER: 'https://dex.example.com', STATIC_SCOPE: 'openid' }
    expect(warningsOf({ ...env, JWT_AUDIENCE: '', JWKS_URL: '' })).toEqual([
      expect.stringMatching(/^JWKS_URL is empty, so there is no JWT gate/),
      expect.stringMatching(/^JWT_AUDIENCE is empty, so there is no JWT gate/),
    ])
    expect(warningsOf({ JWT_AUDIENCE: '' })).toEqual([])
  })

  it.each([
    ['JWT_AUDIENC', 'JWT_AUDIENCE'],
    ['JTW_AUDIENCE', 'JWT_AUDIENCE'],
    ['DEX_TOKEN_URl', 'DEX_TOKEN_URL'],
    ['dex_issuer', 'DEX_ISSUER'],
    ['STATIC_SECRET', 'STATIC_SCOPE'],
    ['CACHE_SIZE', 'CACHE_MAX_ENTRIES'],
    ['LOG_LEVL', 'LOG_LEVEL'],
    ['ADMIN_LISTEN_ADDR', 'ADMIN_ADDR'],
    ['ADMIN_PORTS', 'ADMIN_ADDR'],
    ['LISTEN_ADDRESS', 'LISTEN_ADDR'],
    ['GRPC_LISTEN_ADDRS', 'GRPC_LISTEN_ADDR'],
    ['SHARED_STORE_PASSWORD', 'SHARED_STORE_PASSWORD_FILE'],
    ['DEX_CLIENT_SECRET', 'STATIC_CLIENT_SECRET'],
    ['ADMIN_TLS_CERT', 'ADMIN_TLS_CERT_FILE'],
    ['ALLOWED_CLIENTS', 'ALLOWED_CLIENT_IDS'],
    ['REFRESH_RATIO', 'REFRESH_AHEAD_RATIO'],
    ['USE_PROXY_FROM_ENVS', 'USE_PROXY_FROM_ENV'],
  ])('names the variable that %s was likely meant to be', (name, nearest) => {
    expect(warningsOf({ [name]: 'some value' })).toEqual([
      expect.stringMatching(new RegExp(`^${name} is not a variable .* did you mean [A-Z_]+\\?$`)),
    ])
    if (!['STATIC_SECRET', 'CACHE_SIZE', 'ADMIN_PORTS'].includes(name))
      expect(warningsOf({ [name]: 'x' })[0]).toContain(nearest)
  })

  it.each([
    'DEX_SERVICE_HOST',
    'DEX_SERVICE_PORT',
    'DEX_SERVICE_PORT_HTTP',
    'DEX_PORT',
    'DEX_PORT_5556_TCP',
    'DEX_PORT_5556_TCP_ADDR',
    'JWKS_PROXY_SERVICE_HOST',
    'PATH',
    'HTTPS_PROXY',
    'NODE_OPTIONS',
    'KUBERNETES_SERVICE_HOST',
    'GRPC_VERBOSITY',
    'LOG_DIR',
    'CONFIG_PATH',
    'ADMIN_SERVICE_HOST',
    'OTEL_METRICS_EXPORTER',
  ])('is silent about %s, which others make', name => {
    expect(warningsOf({ [name]: 'x' })).toEqual([])
  })

  it.each([
    ['STATIC_CLIENT_SECRET', '"hunter2-hunter2"', 'is in quotes ("...")'],
    ['STATIC_CLIENT_SECRET', "'hunter2-hunter2'", "is in quotes ('...')"],
    ['STATIC_CLIENT_SECRET', ' hunter2-hunter2', 'has blanks at its start'],
    ['STATIC_CLIENT_ID', 'hunter2 ', 'has blanks at its end'],
    ['STATIC_CLIENT_ID', '"hunter2"', 'is in quotes'],
    ['STATIC_SCOPE', '"openid groups"', 'is in quotes'],
    ['JWT_AUDIENCE', '"orders"', 'is in quotes'],
    ['JWT_ISSUER', ' https://auth.example.com ', 'has blanks at both ends'],
  ])('tells the shape of %s=%s, and never its value', (name, value, shape) => {
    const warnings = warningsOf({ ...FIXED, ...GATE, [name]: value })
    expect(warnings).toEqual([expect.stringContaining(`${name} ${shape}`)])
    expect(warnings.join()).not.toContain('hunter2')
  })

  it('takes a quote inside a secret, or a single one, for a part of it', () => {
    for (const secret of ['a"b', '"', '"half', 'half"']) {
      expect(warningsOf({ ...FIXED, ...GATE, STATIC_CLIENT_SECRET: secret })).toEqual([])
    }
  })
})
