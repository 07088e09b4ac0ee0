import { optionRules } from '@broker/core/options'
import { option, optionalSetting, setting, type Variable } from './variable.ts'
import * as kind from './variable-kinds.ts'

const listeners = 'Listeners'
const dex = 'Dex'
const credentials = 'Credentials'
const answer = 'Headers for the backend'
const cache = 'Token cache'
const gate = 'JWT gate'
const logs = 'Logs'

/**
 * Every variable. Validation, types, `Config`, `--help`, `--check-config`, docs/configuration.md and .env.example follow
 * from it, in this order.
 */
export const configSchema = {
  LISTEN_ADDR: setting('listen', {
    group: listeners,
    kind: kind.address,
    rule: { default: { port: 8080 } },
    description: 'Where Envoy reaches the checks.',
  }),
  ADMIN_ADDR: setting('admin', {
    group: listeners,
    kind: kind.addressOrOff,
    rule: { default: { port: 8081 } },
    description:
      'Where the health, readiness and metrics pages are; off turns them off. A busy port stops the start only when this is set.',
  }),
  SHUTDOWN_TIMEOUT: setting('shutdownTimeoutMs', {
    group: listeners,
    kind: kind.durationOrDefault,
    rule: { default: 10_000, max: optionRules.requestTimeoutMs.max },
    description: 'How long a stop waits for the checks that are under way.',
  }),

  DEX_ISSUER: option('issuer', {
    group: dex,
    kind: kind.issuer,
    example: 'https://dex.example.com/dex',
    description:
      "Dex's issuer, exactly as in Dex's configuration: its endpoints are then discovered when they are first needed. Has to be https, as DEX_TOKEN_URL.",
  }),
  DEX_TOKEN_URL: option('tokenEndpoint', {
    group: dex,
    kind: kind.url,
    rule: { default: 'https://dex.dex.svc.cluster.local/token' },
    description:
      "Dex's token endpoint; set, it wins over what DEX_ISSUER says, and the default counts only without DEX_ISSUER. Has to be https unless the host is loopback or ALLOW_INSECURE_DEX_URL is true.",
  }),
  DEX_JWKS_URL: option('jwksUri', {
    group: dex,
    kind: kind.url,
    example: 'https://dex.example.com/dex/keys',
    description:
      "Dex's own key set, by which tokens are dropped whose key Dex has lost; turns no gate on. Set, it wins over what DEX_ISSUER says: for a Dex that is reached under another name than its issuer's.",
  }),
  CLIENT_AUTH_METHOD: option('clientAuthMethod', {
    group: dex,
    kind: kind.oneOf(...optionRules.clientAuthMethod.values),
    description: 'Whether the client id and secret go to Dex in the Authorization header or in the form.',
  }),
  HTTP_TIMEOUT: option('requestTimeoutMs', {
    group: dex,
    kind: kind.durationOrDefault,
    description: 'Bounds a token request, its retries included.',
  }),
  DEX_MAX_CONNECTIONS: option('maxConnections', {
    group: dex,
    kind: kind.count,
    description:
      'Token requests to Dex at the same time. Half of them are kept for clients that Dex has accepted before.',
  }),
  DEX_CA_FILE: optionalSetting('ca', {
    group: dex,
    kind: kind.caFile,
    via: 'transport',
    example: '/etc/dex/ca.crt',
    description: "Certificates to trust besides the system's, for Dex and the key set. Read at the start.",
  }),
  ALLOW_INSECURE_DEX_URL: option('allowInsecureUrls', {
    group: dex,
    kind: kind.boolean,
    description:
      'Allows http for Dex and the key set beyond loopback: client secrets then cross the network unencrypted.',
  }),

  STATIC_CLIENT_ID: option('client.clientId', {
    group: credentials,
    kind: kind.text,
    example: 'reports',
    description: "Fixed client id; wins over the caller's header. Required with a JWT gate.",
  }),
  STATIC_CLIENT_SECRET: option('client.clientSecret', {
    group: credentials,
    kind: kind.text,
    example: 'change-me',
    secret: true,
    description: "Fixed client secret; wins over the caller's header.",
  }),
  ALLOW_UNAUTHENTICATED_CALLERS: setting('allowUnauthenticatedCallers', {
    group: credentials,
    kind: kind.boolean,
    rule: { default: false },
    description:
      'Says that whoever reaches the check listener may have a token of the fixed secret. Without it such a configuration does not start where a JWT gate seems to be meant: with DEX_ISSUER, or a variable of the gate that is there but empty or misspelt.',
  }),
  STATIC_SCOPE: option('client.scope', {
    group: credentials,
    kind: kind.scope,
    example: 'openid email profile groups',
    description:
      "Fixed scope; wins over the caller's header. Without it callers choose the scope, even under fixed credentials.",
  }),
  STATIC_AUDIENCES: option('client.audiences', {
    group: credentials,
    kind: kind.tokenAudiences,
    example: 'orders,billing',
    description:
      "Client ids of the services that the tokens are for; each is requested as Dex's scope audience:server:client_id:<id>.",
  }),
  CLIENT_ID_HEADER: option('credentialHeaders.clientId', {
    group: credentials,
    kind: kind.header,
    description: "Header of the caller's client id.",
  }),
  CLIENT_SECRET_HEADER: option('credentialHeaders.clientSecret', {
    group: credentials,
    kind: kind.header,
    description: "Header of the caller's client secret.",
  }),
  SCOPE_HEADER: option('credentialHeaders.scope', {
    group: credentials,
    kind: kind.header,
    description: "Header of the caller's scope.",
  }),
  STRIP_CREDENTIAL_HEADERS: option('credentialHeaders.strip', {
    group: credentials,
    kind: kind.boolean,
    description:
      "Has Envoy remove the caller's credential headers and JWT before the backend sees the request.",
  }),

  UPSTREAM_AUTH_HEADER: option('authorizationHeader', {
    group: answer,
    kind: kind.header,
    defaultText: 'Authorization',
    description: 'Header that carries "Bearer <token>" to the backend.',
  }),
  UPSTREAM_TOKEN_HEADERS: option('tokenHeaders', {
    group: answer,
    kind: kind.mappings,
    example: 'access_token:x-access-token,expires_in:x-expires-in',
    description:
      "More headers for the backend, from fields of Dex's answer. A field without a header goes into the header of its own name.",
  }),

  CACHE_MAX_ENTRIES: option('cacheMaxEntries', {
    group: cache,
    kind: kind.count,
    description: 'How many tokens are kept; 0 turns the cache off.',
  }),
  MAX_WAITING_CHECKS: option('maxWaitingCallers', {
    group: cache,
    kind: kind.count,
    rule: { default: 4_096 },
    description:
      'Checks that wait for tokens at the same time; more are refused at once with overloaded. Envoy has to allow more connections and pending requests than that.',
  }),
  CACHE_CLEANUP_INTERVAL: option('cacheCleanupIntervalMs', {
    group: cache,
    kind: kind.durationOrDefault,
    description: 'How often expired tokens are removed.',
  }),
  EXPIRY_SAFETY_MARGIN: option('expirySafetyMarginMs', {
    group: cache,
    kind: kind.durationOrDefault,
    description: 'How long before its expiry a token counts as expired.',
  }),
  REFRESH_AHEAD_RATIO: option('refreshAheadRatio', {
    group: cache,
    kind: kind.ratio,
    description:
      'From which part of its usable life on a token that is asked for is replaced in the background, up to a tenth of that life earlier at random; 1 waits for the end.',
  }),
  MAX_TOKEN_AGE: option('maxTokenAgeMs', {
    group: cache,
    kind: kind.duration,
    example: '1h',
    description: 'From which age on a token is not used again, whatever its expiry; 0s sets no such limit.',
  }),
  NEGATIVE_CACHE_TTL: option('negativeCacheTtlMs', {
    group: cache,
    kind: kind.duration,
    description:
      'How long credentials that Dex rejected are refused without asking again; 0s asks every time.',
  }),

  JWKS_URL: option('gate.jwksUri', {
    group: gate,
    kind: kind.url,
    example: 'https://auth.example.com/.well-known/jwks.json',
    description:
      "Key set that checks the JWT of each caller; with DEX_ISSUER it defaults to Dex's own. Setting it turns the gate on. Has to be https, as DEX_TOKEN_URL.",
  }),
  JWT_HEADER: option('gate.jwtHeader', {
    group: gate,
    kind: kind.header,
    defaultText: 'Authorization',
    description: 'Header of the caller\'s JWT; a leading "Bearer " is optional.',
  }),
  JWT_ISSUER: option('gate.issuer', {
    group: gate,
    kind: kind.text,
    rule: { maxLength: 2_048 },
    example: 'https://auth.example.com',
    description:
      'The iss claim that a JWT must have. Setting it turns the gate on; needs JWKS_URL or DEX_ISSUER. Defaults to DEX_ISSUER when the keys are those of Dex.',
  }),
  JWT_AUDIENCE: option('gate.audience', {
    group: gate,
    kind: kind.jwtAudiences,
    example: 'my-service',
    description:
      'The audiences of which a JWT must name one in aud. Setting it turns the gate on; needs JWKS_URL or DEX_ISSUER.',
  }),
  JWT_CLOCK_TOLERANCE: option('gate.clockToleranceMs', {
    group: gate,
    kind: kind.duration,
    example: '30s',
    description: "How far the issuer's clock may be off when exp and nbf are judged.",
  }),
  JWT_CACHE_MAX_ENTRIES: option('gate.verifiedJwtsMaxEntries', {
    group: gate,
    kind: kind.count,
    description:
      'How many JWTs are remembered, so that a signature is not verified again for up to a minute; 0 verifies each time.',
  }),
  JWKS_MAX_AGE: option('gate.jwksMaxAgeMs', {
    group: gate,
    kind: kind.duration,
    rule: { min: 1_000 },
    description: 'How old the key set may become before a check waits for a new one; at least 1s.',
  }),
  JWKS_MAX_STALE: option('gate.jwksMaxStaleMs', {
    group: gate,
    kind: kind.duration,
    description:
      'How old the key set may become while its endpoint is down; then checks fail. At least JWKS_MAX_AGE.',
  }),

  LOG_LEVEL: setting('logLevel', {
    group: logs,
    kind: kind.logLevel,
    rule: { default: 'info' },
    example: 'DEBUG',
    description:
      'The least severe messages that are logged: DEBUG, INFO, WARN or ERROR. Single checks appear at DEBUG.',
  }),
  LOG_FORMAT: setting('logFormat', {
    group: logs,
    kind: kind.oneOf('json', 'text'),
    rule: { default: 'json' },
    example: 'text',
    description: 'One JSON object per line, or text for people.',
  }),
} satisfies Readonly<Record<string, Variable>>

/** The name of one of the server's variables. */
export type VariableName = keyof typeof configSchema

/** The names of all variables, in the order of the reference. */
export const variableNames = Object.keys(configSchema) as readonly VariableName[]
