import type { Config, GateConfig, StaticClient } from './config.ts'
import { gateVariables } from './config-rules.ts'
import type { Settings } from './config-shape.ts'
import type { SettingsReading } from './read-settings.ts'

/** Arranges valid settings as the configuration that the server works with; `isSet` tells them from defaults. */
export function toConfig(settings: Settings, isSet: SettingsReading['isSet']): Config {
  const { ADMIN_ADDR: admin, DEX_CA_FILE: ca } = settings
  const gate = gateOf(settings)
  return {
    listen: settings.LISTEN_ADDR,
    admin: admin === 'off' ? undefined : { ...admin, isDefault: !isSet('ADMIN_ADDR') },
    shutdownTimeoutMs: settings.SHUTDOWN_TIMEOUT,
    ...endpointsOf(settings, isSet),
    clientAuthMethod: settings.CLIENT_AUTH_METHOD,
    httpTimeoutMs: settings.HTTP_TIMEOUT,
    allowInsecureUrls: settings.ALLOW_INSECURE_DEX_URL,
    ...(ca && { caFile: ca.path, caCertificates: ca.certificates }),
    client: clientOf(settings),
    clientIdHeader: settings.CLIENT_ID_HEADER,
    clientSecretHeader: settings.CLIENT_SECRET_HEADER,
    scopeHeader: settings.SCOPE_HEADER,
    stripCredentialHeaders: settings.STRIP_CREDENTIAL_HEADERS,
    authorizationHeader: settings.UPSTREAM_AUTH_HEADER,
    tokenHeaders: settings.UPSTREAM_TOKEN_HEADERS ?? [],
    cacheMaxEntries: settings.CACHE_MAX_ENTRIES,
    cacheCleanupIntervalMs: settings.CACHE_CLEANUP_INTERVAL,
    expirySafetyMarginMs: settings.EXPIRY_SAFETY_MARGIN,
    refreshAheadRatio: settings.REFRESH_AHEAD_RATIO,
    maxTokenAgeMs: settings.MAX_TOKEN_AGE,
    negativeCacheTtlMs: settings.NEGATIVE_CACHE_TTL,
    ...(gate && { gate }),
    logLevel: settings.LOG_LEVEL,
    logFormat: settings.LOG_FORMAT,
  }
}

/** The default of DEX_TOKEN_URL must not win over the endpoint that DEX_ISSUER names. */
function endpointsOf(
  { DEX_ISSUER, DEX_TOKEN_URL }: Settings,
  isSet: SettingsReading['isSet'],
): Pick<Config, 'issuer' | 'tokenEndpoint'> {
  if (DEX_ISSUER === undefined) return { tokenEndpoint: DEX_TOKEN_URL.href }
  return { issuer: DEX_ISSUER, ...(isSet('DEX_TOKEN_URL') && { tokenEndpoint: DEX_TOKEN_URL.href }) }
}

function clientOf(settings: Settings): StaticClient {
  const { STATIC_CLIENT_ID, STATIC_CLIENT_SECRET, STATIC_SCOPE, STATIC_AUDIENCES = [] } = settings
  return {
    ...(STATIC_CLIENT_ID !== undefined && { clientId: STATIC_CLIENT_ID }),
    ...(STATIC_CLIENT_SECRET !== undefined && { clientSecret: STATIC_CLIENT_SECRET }),
    ...(STATIC_SCOPE !== undefined && { scope: STATIC_SCOPE }),
    ...(STATIC_AUDIENCES.length > 0 && { audiences: STATIC_AUDIENCES }),
  }
}

function gateOf(settings: Settings): GateConfig | undefined {
  const { JWKS_URL, JWT_AUDIENCE, DEX_ISSUER } = settings
  if (!gateVariables.some(variable => settings[variable] !== undefined)) return undefined
  const issuer = settings.JWT_ISSUER ?? (JWKS_URL === undefined ? DEX_ISSUER : undefined)
  return {
    ...(JWKS_URL !== undefined && { jwksUri: JWKS_URL.href }),
    jwtHeader: settings.JWT_HEADER,
    ...(issuer !== undefined && { issuer }),
    ...(JWT_AUDIENCE !== undefined && { audiences: JWT_AUDIENCE }),
    jwksMaxAgeMs: settings.JWKS_MAX_AGE,
    jwksMaxStaleMs: settings.JWKS_MAX_STALE,
    clockToleranceMs: settings.JWT_CLOCK_TOLERANCE,
    verifiedJwtsMaxEntries: settings.JWT_CACHE_MAX_ENTRIES,
  }
}
