import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'

const BROKER_DEFAULTS = {
  tokenEndpoint: 'https://dex.dex.svc.cluster.local/token',
  clientAuthMethod: 'client_secret_basic',
  requestTimeoutMs: 5_000,
  allowInsecureUrls: false,
  maxConnections: 32,
  jwksMaxAgeMs: 600_000,
  maxWaitingCallers: 4_096,
  credentialHeaders: {
    clientId: 'x-client-id',
    clientSecret: 'x-client-secret',
    scope: 'x-scope',
    basic: false,
    allowJoined: false,
    strip: true,
  },
  routeClients: false,
  authorizationHeader: 'authorization',
  cacheMaxEntries: 1024,
  exchangeMaxEntries: 1024,
  cacheCleanupIntervalMs: 300_000,
  expirySafetyMarginMs: 30_000,
  refreshAheadRatio: 0.8,
  maxTokenAgeMs: 0,
  negativeCacheTtlMs: 5_000,
  reservedHeaderPrefixes: { 'x-envoy-': 'is a control header of Envoy' },
}

const DEFAULTS = {
  listen: { port: 8080 },
  admin: { port: 8081, isDefault: true },
  grpc: undefined,
  grpcMaxConnectionAgeMs: 1_800_000,
  grpcDynamicMetadata: true,
  shutdownTimeoutMs: 10_000,
  sharedStoreTimeoutMs: 50,
  sharedStorePrefix: 'dex-token-broker',
  logLevel: 'info',
  accessLog: 'off',
  adminPage: 'loopback',
  logFormat: 'json',
  traceServiceName: 'dex-token-broker',
  traceSampler: 'parentbased_always_on',
  traceSamplingRatio: 1,
  allowUnauthenticatedCallers: false,
  useProxyFromEnv: false,
  tracesDisabled: false,
  broker: BROKER_DEFAULTS,
  warnings: [],
  notes: [
    'DEX_ISSUER and DEX_TOKEN_URL are not set: tokens are requested from https://dex.dex.svc.cluster.local/token, the default of DEX_TOKEN_URL. Set DEX_ISSUER to the issuer of your Dex.',
  ],
}

const GATE = { JWKS_URL: 'https://auth.example.com/keys', STATIC_CLIENT_ID: 'reports' }

describe('loadConfig', () => {
  it('has the defaults of the Go service, and those of the design for what is new', () => {
    expect(loadConfig({})).toStrictEqual(DEFAULTS)
  })

  it('takes an empty variable for an unset one', () => {
    const names = [
      'LISTEN_ADDR',
      'ADMIN_ADDR',
      'HTTP_TIMEOUT',
      'STATIC_CLIENT_ID',
      'JWKS_URL',
      'JWT_ISSUER',
      'LOG_LEVEL',
    ]
    expect(loadConfig(Object.fromEntries(names.map(name => [name, ''])))).toStrictEqual(DEFAULTS)
  })

  it('ignores variables that are not ours', () => {
    expect(loadConfig({ PATH: '/bin', HOME: 'x' })).toStrictEqual(DEFAULTS)
  })

  it("takes a zero duration of the Go service's variables for their default", () => {
    const names = ['HTTP_TIMEOUT', 'CACHE_CLEANUP_INTERVAL', 'EXPIRY_SAFETY_MARGIN', 'SHUTDOWN_TIMEOUT']
    expect(loadConfig(Object.fromEntries(names.map(name => [name, '0s'])))).toStrictEqual(DEFAULTS)
  })

  it('keeps a zero of the new durations and of CACHE_MAX_ENTRIES', () => {
    const config = loadConfig({
      ...GATE,
      NEGATIVE_CACHE_TTL: '0',
      JWT_CLOCK_TOLERANCE: '0s',
      MAX_TOKEN_AGE: '0s',
      CACHE_MAX_ENTRIES: '-0',
    })
    expect(config.broker.negativeCacheTtlMs).toBe(0)
    expect(config.broker.maxTokenAgeMs).toBe(0)
    expect(config.broker.gate?.clockToleranceMs).toBe(0)
    expect(config.broker.cacheMaxEntries).toBe(0)
  })

  it('rounds a duration up to whole milliseconds', () => {
    expect(loadConfig({ HTTP_TIMEOUT: '1ns' }).broker.requestTimeoutMs).toBe(1)
    expect(loadConfig({ HTTP_TIMEOUT: '1h15m30.918273645s' }).broker.requestTimeoutMs).toBe(4_530_919)
  })

  it('reads every variable of the Go service', () => {
    const config = loadConfig({
      LISTEN_ADDR: '127.0.0.1:9000',
      DEX_TOKEN_URL: 'http://dex:5556/dex/token',
      HTTP_TIMEOUT: '1m30s',
      CACHE_CLEANUP_INTERVAL: '+10s',
      EXPIRY_SAFETY_MARGIN: '500ms',
      CACHE_MAX_ENTRIES: '+1000000',
      ALLOW_INSECURE_DEX_URL: 'T',
      LOG_LEVEL: 'info+2',
      SHUTDOWN_TIMEOUT: '.5m',
      UPSTREAM_AUTH_HEADER: 'X-Auth',
      UPSTREAM_TOKEN_HEADERS: 'access_token:X-Token',
      CLIENT_ID_HEADER: 'X-Id',
      CLIENT_SECRET_HEADER: 'X-Secret',
      SCOPE_HEADER: 'X-The-Scope',
      STATIC_CLIENT_ID: 'Zoë:€',
      STATIC_CLIENT_SECRET: ' p+q% ',
      STATIC_SCOPE: 'openid groups',
      JWKS_URL: 'http://dex:5556/dex/keys',
      JWT_HEADER: 'X-Jwt',
      JWT_ISSUER: 'http://dex:5556/dex',
      JWT_AUDIENCE: 'orders, billing,,orders',
    })
    expect(config).toStrictEqual({
      ...DEFAULTS,
      listen: { host: '127.0.0.1', port: 9000 },
      logLevel: 'warn',
      shutdownTimeoutMs: 30_000,
      notes: [],
      warnings: [
        expect.stringMatching(/^STATIC_CLIENT_SECRET has blanks at both ends/),
        expect.stringMatching(/^DEX_TOKEN_URL is not https/),
        expect.stringMatching(/^JWKS_URL is not https/),
      ],
      broker: {
        ...BROKER_DEFAULTS,
        tokenEndpoint: 'http://dex:5556/dex/token',
        requestTimeoutMs: 90_000,
        cacheCleanupIntervalMs: 10_000,
        expirySafetyMarginMs: 500,
        cacheMaxEntries: 1_000_000,
        exchangeMaxEntries: 1024,
        allowInsecureUrls: true,
        authorizationHeader: 'x-auth',
        tokenHeaders: Object.assign(Object.create(null), { access_token: ['x-token'] }),
        credentialHeaders: {
          clientId: 'x-id',
          clientSecret: 'x-secret',
          scope: 'x-the-scope',
          basic: false,
          allowJoined: false,
          strip: true,
        },
        client: { clientId: 'Zoë:€', clientSecret: ' p+q% ', scope: 'openid groups' },
        gate: {
          jwksUri: 'http://dex:5556/dex/keys',
          jwtHeader: 'x-jwt',
          issuer: 'http://dex:5556/dex',
          audience: ['orders', 'billing'],
          algorithms: ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'],
          groupsClaim: 'groups',
          jwksMaxStaleMs: 3_600_000,
          clockToleranceMs: 0,
          verifiedJwtsMaxEntries: 4096,
        },
      },
    })
  })

  it('reads the variables that the Go service did not have', () => {
    const config = loadConfig({
      ...GATE,
      ACCEPT_BASIC: 'true',
      JWT_HEADER: 'x-jwt',
      ADMIN_ADDR: '[::1]:0',
      CLIENT_AUTH_METHOD: 'client_secret_post',
      NEGATIVE_CACHE_TTL: '1s',
      REFRESH_AHEAD_RATIO: '1.0',
      MAX_TOKEN_AGE: '1h30m',
      STATIC_AUDIENCES: 'orders, billing  stock,',
      STRIP_CREDENTIAL_HEADERS: 'False',
      JWT_CLOCK_TOLERANCE: '30s',
      JWKS_MAX_AGE: '1m',
      JWKS_MAX_STALE: '1m',
      LOG_FORMAT: 'text',
    })
    expect(config).toMatchObject({
      admin: { host: '::1', port: 0, isDefault: false },
      logFormat: 'text',
      broker: {
        clientAuthMethod: 'client_secret_post',
        negativeCacheTtlMs: 1_000,
        refreshAheadRatio: 1,
        maxTokenAgeMs: 5_400_000,
        client: { audiences: ['orders', 'billing', 'stock'] },
        credentialHeaders: { basic: true, strip: false },
        jwksMaxAgeMs: 60_000,
        gate: { clockToleranceMs: 30_000, jwksMaxStaleMs: 60_000 },
      },
    })
  })

  it('has a gRPC listener only where its address is set', () => {
    expect(loadConfig({ GRPC_LISTEN_ADDR: 'off' }).grpc).toBeUndefined()
    expect(
      loadConfig({
        GRPC_LISTEN_ADDR: '127.0.0.1:8082',
        GRPC_MAX_CONNECTION_AGE: '0',
        GRPC_DYNAMIC_METADATA: 'false',
      }),
    ).toMatchObject({
      grpc: { host: '127.0.0.1', port: 8082 },
      grpcMaxConnectionAgeMs: 0,
      grpcDynamicMetadata: false,
    })
  })

  it('turns the admin listener off', () => {
    expect(loadConfig({ ADMIN_ADDR: 'off' }).admin).toBeUndefined()
  })

  it('tells an ADMIN_ADDR that was set from the default', () => {
    expect(loadConfig({ ADMIN_ADDR: ':8081' }).admin).toStrictEqual({ port: 8081, isDefault: false })
  })

  it('leaves the default ADMIN_ADDR alone when LISTEN_ADDR takes its port', () => {
    expect(loadConfig({ LISTEN_ADDR: ':8081' }).admin).toStrictEqual({ port: 8081, isDefault: true })
  })

  it('keeps DEX_ISSUER to the letter, and has no token endpoint of its own then', () => {
    for (const issuer of [
      'https://Dex.example.com/dex/',
      'https://dex.example.com:443',
      'http://localhost:5556/%64ex',
    ]) {
      const { broker } = loadConfig({ DEX_ISSUER: issuer })
      expect(broker.issuer).toBe(issuer)
      expect(broker).not.toHaveProperty('tokenEndpoint')
      expect(broker).not.toHaveProperty('gate')
    }
  })

  it('takes a DEX_TOKEN_URL that is set beside DEX_ISSUER, also when it is the default', () => {
    const env = { DEX_ISSUER: 'https://dex.example.com', DEX_TOKEN_URL: BROKER_DEFAULTS.tokenEndpoint }
    expect(loadConfig(env)).toStrictEqual({
      ...DEFAULTS,
      notes: [],
      broker: { ...BROKER_DEFAULTS, issuer: 'https://dex.example.com' },
    })
  })

  it.each([{ JWT_AUDIENCE: 'orders' }, { JWT_ISSUER: 'https://dex.example.com/dex' }])(
    "has a gate with Dex's own keys and issuer by DEX_ISSUER and %j",
    variables => {
      const env = { DEX_ISSUER: 'https://dex.example.com/dex', STATIC_CLIENT_ID: 'reports', ...variables }
      const { gate } = loadConfig(env).broker
      expect(gate).toMatchObject({ issuer: 'https://dex.example.com/dex', jwtHeader: 'authorization' })
      expect(gate).not.toHaveProperty('jwksUri')
    },
  )

  it('lets JWT_ISSUER win over DEX_ISSUER, and expects no issuer of the keys of JWKS_URL', () => {
    const env = { DEX_ISSUER: 'https://dex.example.com/dex', STATIC_CLIENT_ID: 'reports' }
    expect(loadConfig({ ...env, JWT_ISSUER: 'https://other' }).broker.gate?.issuer).toBe('https://other')
    expect(loadConfig({ ...env, ...GATE }).broker.gate).not.toHaveProperty('issuer')
  })

  it('allows http to a loopback host', () => {
    expect(loadConfig({ DEX_TOKEN_URL: 'http://127.0.0.1:5556/token' }).broker.tokenEndpoint).toBe(
      'http://127.0.0.1:5556/token',
    )
  })
})
