import type { Config } from './config.ts'
import { configSchema, variableNames } from './config-schema.ts'
import type { VariableName } from './config-shape.ts'
import { formatGoDuration } from './go-duration.ts'
import { formatListenAddress } from './listen-address.ts'
import { formatLogLevel } from './log-level.ts'
import { formatTokenHeaderMappings } from './token-header-mapping.ts'
import { factsOf } from './variable.ts'

const MASK = '********'

const EFFECTIVE_VALUES: { readonly [Name in VariableName]: (config: Config) => string | undefined } = {
  LISTEN_ADDR: config => formatListenAddress(config.listen),
  ADMIN_ADDR: ({ admin }) => (admin === undefined ? 'off' : formatListenAddress(admin)),
  SHUTDOWN_TIMEOUT: config => formatMilliseconds(config.shutdownTimeoutMs),
  DEX_ISSUER: config => config.issuer,
  DEX_TOKEN_URL: config => config.tokenEndpoint,
  CLIENT_AUTH_METHOD: config => config.clientAuthMethod,
  HTTP_TIMEOUT: config => formatMilliseconds(config.httpTimeoutMs),
  DEX_CA_FILE: config => config.caFile,
  ALLOW_INSECURE_DEX_URL: config => String(config.allowInsecureUrls),
  STATIC_CLIENT_ID: ({ client }) => client.clientId,
  STATIC_CLIENT_SECRET: ({ client }) => client.clientSecret,
  STATIC_SCOPE: ({ client }) => client.scope,
  STATIC_AUDIENCES: ({ client }) => client.audiences?.join(','),
  CLIENT_ID_HEADER: config => config.clientIdHeader,
  CLIENT_SECRET_HEADER: config => config.clientSecretHeader,
  SCOPE_HEADER: config => config.scopeHeader,
  STRIP_CREDENTIAL_HEADERS: config => String(config.stripCredentialHeaders),
  UPSTREAM_AUTH_HEADER: config => config.authorizationHeader,
  UPSTREAM_TOKEN_HEADERS: config => formatTokenHeaderMappings(config.tokenHeaders),
  CACHE_MAX_ENTRIES: config => String(config.cacheMaxEntries),
  CACHE_CLEANUP_INTERVAL: config => formatMilliseconds(config.cacheCleanupIntervalMs),
  EXPIRY_SAFETY_MARGIN: config => formatMilliseconds(config.expirySafetyMarginMs),
  REFRESH_AHEAD_RATIO: config => String(config.refreshAheadRatio),
  MAX_TOKEN_AGE: config => formatMilliseconds(config.maxTokenAgeMs),
  NEGATIVE_CACHE_TTL: config => formatMilliseconds(config.negativeCacheTtlMs),
  JWKS_URL: ({ gate }) => gate?.jwksUri,
  JWT_HEADER: ({ gate }) => gate?.jwtHeader,
  JWT_ISSUER: ({ gate }) => gate?.issuer,
  JWT_AUDIENCE: ({ gate }) => gate?.audiences?.join(','),
  JWT_CLOCK_TOLERANCE: ({ gate }) => gate && formatMilliseconds(gate.clockToleranceMs),
  JWT_CACHE_MAX_ENTRIES: ({ gate }) => gate && String(gate.verifiedJwtsMaxEntries),
  JWKS_MAX_AGE: ({ gate }) => gate && formatMilliseconds(gate.jwksMaxAgeMs),
  JWKS_MAX_STALE: ({ gate }) => gate && formatMilliseconds(gate.jwksMaxStaleMs),
  LOG_LEVEL: config => formatLogLevel(config.logLevel),
  LOG_FORMAT: config => config.logFormat,
}

/**
 * The effective configuration, one `NAME=value` line per variable, secrets masked.
 *
 * Empty is what is not set, what is discovered, and every variable of the JWT gate while there is no gate. Ends without a line break.
 */
export function describeConfig(config: Config): string {
  return variableNames.map(name => `${name}=${effectiveValue(name, config)}`).join('\n')
}

function effectiveValue(name: VariableName, config: Config): string {
  const value = EFFECTIVE_VALUES[name](config) ?? ''
  return value !== '' && factsOf(configSchema.shape[name]).secret ? MASK : value
}

function formatMilliseconds(milliseconds: number): string {
  return formatGoDuration(BigInt(milliseconds) * 1_000_000n)
}
