/**
 * Defaults and limits of the broker's options, by the path of each option: the one place for these numbers.
 *
 * Options that a way in has under other names (the server's variables) are checked by the same entry. The longest duration is what a timer of Node holds: a longer one fires at once.
 */
export const optionRules = {
  clientAuthMethod: {
    default: 'client_secret_basic',
    values: ['client_secret_basic', 'client_secret_post'],
  },
  'client.clientId': { maxLength: 256 },
  'client.clientSecret': { maxLength: 4_096 },
  /** Together with the scopes of the audiences. */
  'client.scope': { maxLength: 1_024 },
  authorizationHeader: { default: 'authorization' },
  'credentialHeaders.clientId': { default: 'x-client-id' },
  'credentialHeaders.clientSecret': { default: 'x-client-secret' },
  'credentialHeaders.scope': { default: 'x-scope' },
  'credentialHeaders.strip': { default: true },
  requestTimeoutMs: { default: 5_000, min: 1, max: 2_147_483_647 },
  cacheMaxEntries: { default: 1_024, min: 0, max: 1_000_000 },
  cacheCleanupIntervalMs: { default: 300_000, min: 1, max: 2_147_483_647 },
  expirySafetyMarginMs: { default: 30_000, min: 0, max: 2_147_483_647 },
  /** Above `min`, not from it. */
  refreshAheadRatio: { default: 0.8, min: 0, max: 1 },
  maxTokenAgeMs: { default: 0, min: 0, max: 2_147_483_647 },
  negativeCacheTtlMs: { default: 5_000, min: 0, max: 2_147_483_647 },
  allowInsecureUrls: { default: false },
  'gate.jwtHeader': { default: 'authorization' },
  'gate.clockToleranceMs': { default: 0, min: 0, max: 2_147_483_647 },
  'gate.jwksMaxAgeMs': { default: 600_000, min: 1, max: 2_147_483_647 },
  /** Not below `gate.jwksMaxAgeMs`. */
  'gate.jwksMaxStaleMs': { default: 3_600_000, min: 1, max: 2_147_483_647 },
  'gate.verifiedJwtsMaxEntries': { default: 4_096, min: 0, max: 1_000_000 },
} as const
