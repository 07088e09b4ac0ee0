import type { TokenBrokerOptions } from '@broker/core'
import type { Config } from './config/config.ts'

/** The configuration in the words of `@broker/core`. */
export function brokerOptions(config: Config): TokenBrokerOptions {
  const { gate } = config
  return {
    issuer: config.issuer,
    tokenEndpoint: config.tokenEndpoint,
    clientAuthMethod: config.clientAuthMethod,
    client: config.client,
    gate: gate && { ...gate, audience: gate.audiences },
    tokenHeaders: headersByField(config.tokenHeaders),
    authorizationHeader: config.authorizationHeader,
    credentialHeaders: {
      clientId: config.clientIdHeader,
      clientSecret: config.clientSecretHeader,
      scope: config.scopeHeader,
      strip: config.stripCredentialHeaders,
    },
    requestTimeoutMs: config.httpTimeoutMs,
    cacheMaxEntries: config.cacheMaxEntries,
    cacheCleanupIntervalMs: config.cacheCleanupIntervalMs,
    expirySafetyMarginMs: config.expirySafetyMarginMs,
    refreshAheadRatio: config.refreshAheadRatio,
    maxTokenAgeMs: config.maxTokenAgeMs,
    negativeCacheTtlMs: config.negativeCacheTtlMs,
    allowInsecureUrls: config.allowInsecureUrls,
  }
}

function headersByField(mappings: Config['tokenHeaders']): Record<string, string[]> {
  // A field may be called `__proto__`.
  const byField: Record<string, string[]> = Object.create(null)
  for (const { field, header } of mappings) {
    byField[field] ??= []
    byField[field].push(header)
  }
  return byField
}
