import * as z from 'zod'
import type { ConfigShape, VariableName } from './config-shape.ts'
import { optionalVariable, variable } from './variable.ts'
import * as kind from './variable-kinds.ts'

const LISTENERS = 'Listeners'
const DEX = 'Dex'
const CREDENTIALS = 'Credentials'
const ANSWER = 'Headers for the backend'
const CACHE = 'Token cache'
const GATE = 'JWT gate'
const LOGS = 'Logs'

/** Validation, types, `--help`, docs/configuration.md and .env.example: all of them come from here, in this order. */
export const configSchema: z.ZodObject<ConfigShape> = z.object({
  LISTEN_ADDR: variable({
    group: LISTENERS,
    kind: kind.address,
    default: ':8080',
    description: 'Where Envoy reaches the checks.',
  }),
  ADMIN_ADDR: variable({
    group: LISTENERS,
    kind: kind.addressOrOff,
    default: ':8081',
    description:
      'Where the health, readiness and metrics pages are; off turns them off. A busy port stops the start only when this is set.',
  }),
  SHUTDOWN_TIMEOUT: variable({
    group: LISTENERS,
    kind: kind.duration({ zeroMeans: '10s' }),
    default: '10s',
    description: 'How long a stop waits for the checks that are under way.',
  }),

  DEX_ISSUER: optionalVariable({
    group: DEX,
    kind: kind.issuer,
    example: 'https://dex.example.com/dex',
    description:
      "Dex's issuer, exactly as in Dex's configuration: its endpoints are then discovered when they are first needed. Has to be https, as DEX_TOKEN_URL.",
  }),
  DEX_TOKEN_URL: variable({
    group: DEX,
    kind: kind.url,
    default: 'https://dex.dex.svc.cluster.local/token',
    description:
      "Dex's token endpoint; set, it wins over what DEX_ISSUER says, and the default counts only without DEX_ISSUER. Has to be https unless the host is loopback or ALLOW_INSECURE_DEX_URL is true.",
  }),
  CLIENT_AUTH_METHOD: variable({
    group: DEX,
    kind: kind.oneOf('client_secret_basic', 'client_secret_post'),
    default: 'client_secret_basic',
    description: 'Whether the client id and secret go to Dex in the Authorization header or in the form.',
  }),
  HTTP_TIMEOUT: variable({
    group: DEX,
    kind: kind.duration({ zeroMeans: '5s' }),
    default: '5s',
    description: 'Bounds a token request, its retries included.',
  }),
  DEX_CA_FILE: optionalVariable({
    group: DEX,
    kind: kind.caFile,
    example: '/etc/dex/ca.crt',
    description: "Certificates to trust besides the system's, for Dex and the key set. Read at the start.",
  }),
  ALLOW_INSECURE_DEX_URL: variable({
    group: DEX,
    kind: kind.boolean,
    default: 'false',
    description:
      'Allows http for Dex and the key set beyond loopback: client secrets then cross the network unencrypted.',
  }),

  STATIC_CLIENT_ID: optionalVariable({
    group: CREDENTIALS,
    kind: kind.text(256),
    example: 'reports',
    description: "Fixed client id; wins over the caller's header. Required with a JWT gate.",
  }),
  STATIC_CLIENT_SECRET: optionalVariable({
    group: CREDENTIALS,
    kind: kind.text(4096),
    example: 'change-me',
    secret: true,
    description: "Fixed client secret; wins over the caller's header.",
  }),
  STATIC_SCOPE: optionalVariable({
    group: CREDENTIALS,
    kind: kind.scope(1024),
    example: 'openid email profile groups',
    description:
      "Fixed scope; wins over the caller's header. Without it callers choose the scope, even under fixed credentials.",
  }),
  STATIC_AUDIENCES: optionalVariable({
    group: CREDENTIALS,
    kind: kind.tokenAudiences,
    example: 'orders,billing',
    description:
      "Client ids of the services that the tokens are for; each is requested as Dex's scope audience:server:client_id:<id>.",
  }),
  CLIENT_ID_HEADER: variable({
    group: CREDENTIALS,
    kind: kind.header,
    default: 'x-client-id',
    description: "Header of the caller's client id.",
  }),
  CLIENT_SECRET_HEADER: variable({
    group: CREDENTIALS,
    kind: kind.header,
    default: 'x-client-secret',
    description: "Header of the caller's client secret.",
  }),
  SCOPE_HEADER: variable({
    group: CREDENTIALS,
    kind: kind.header,
    default: 'x-scope',
    description: "Header of the caller's scope.",
  }),
  STRIP_CREDENTIAL_HEADERS: variable({
    group: CREDENTIALS,
    kind: kind.boolean,
    default: 'true',
    description:
      "Has Envoy remove the caller's credential headers and JWT before the backend sees the request.",
  }),

  UPSTREAM_AUTH_HEADER: variable({
    group: ANSWER,
    kind: kind.header,
    default: 'Authorization',
    description: 'Header that carries "Bearer <token>" to the backend.',
  }),
  UPSTREAM_TOKEN_HEADERS: optionalVariable({
    group: ANSWER,
    kind: kind.mappings,
    example: 'access_token:x-access-token,expires_in:x-expires-in',
    description:
      "More headers for the backend, from fields of Dex's answer. A field without a header goes into the header of its own name.",
  }),

  CACHE_MAX_ENTRIES: variable({
    group: CACHE,
    kind: kind.count(1_000_000),
    default: '1024',
    description: 'How many tokens are kept; 0 turns the cache off.',
  }),
  CACHE_CLEANUP_INTERVAL: variable({
    group: CACHE,
    kind: kind.duration({ zeroMeans: '5m' }),
    default: '5m',
    description: 'How often expired tokens are removed.',
  }),
  EXPIRY_SAFETY_MARGIN: variable({
    group: CACHE,
    kind: kind.duration({ zeroMeans: '30s' }),
    default: '30s',
    description: 'How long before its expiry a token counts as expired.',
  }),
  REFRESH_AHEAD_RATIO: variable({
    group: CACHE,
    kind: kind.ratio,
    default: '0.8',
    description:
      'From which part of its usable life on a token that is asked for is replaced in the background, up to a tenth of that life earlier at random; 1 waits for the end.',
  }),
  MAX_TOKEN_AGE: variable({
    group: CACHE,
    kind: kind.duration(),
    default: '0s',
    example: '1h',
    description: 'From which age on a token is not used again, whatever its expiry; 0s sets no such limit.',
  }),
  NEGATIVE_CACHE_TTL: variable({
    group: CACHE,
    kind: kind.duration(),
    default: '5s',
    description:
      'How long credentials that Dex rejected are refused without asking again; 0s asks every time.',
  }),

  JWKS_URL: optionalVariable({
    group: GATE,
    kind: kind.url,
    example: 'https://auth.example.com/.well-known/jwks.json',
    description:
      "Key set that checks the JWT of each caller; with DEX_ISSUER it defaults to Dex's own. Setting it turns the gate on. Has to be https, as DEX_TOKEN_URL.",
  }),
  JWT_HEADER: variable({
    group: GATE,
    kind: kind.header,
    default: 'Authorization',
    description: 'Header of the caller\'s JWT; a leading "Bearer " is optional.',
  }),
  JWT_ISSUER: optionalVariable({
    group: GATE,
    kind: kind.text(2048),
    example: 'https://auth.example.com',
    description:
      'The iss claim that a JWT must have. Setting it turns the gate on; needs JWKS_URL or DEX_ISSUER. Defaults to DEX_ISSUER when the keys are those of Dex.',
  }),
  JWT_AUDIENCE: optionalVariable({
    group: GATE,
    kind: kind.jwtAudiences,
    example: 'my-service',
    description:
      'The audiences of which a JWT must name one in aud. Setting it turns the gate on; needs JWKS_URL or DEX_ISSUER.',
  }),
  JWT_CLOCK_TOLERANCE: variable({
    group: GATE,
    kind: kind.duration(),
    default: '0s',
    example: '30s',
    description: "How far the issuer's clock may be off when exp and nbf are judged.",
  }),
  JWT_CACHE_MAX_ENTRIES: variable({
    group: GATE,
    kind: kind.count(1_000_000),
    default: '4096',
    description:
      'How many JWTs are remembered, so that a signature is not verified again for up to a minute; 0 verifies each time.',
  }),
  JWKS_MAX_AGE: variable({
    group: GATE,
    kind: kind.duration({ atLeast: '1s' }),
    default: '10m',
    description: 'How old the key set may become before a check waits for a new one; at least 1s.',
  }),
  JWKS_MAX_STALE: variable({
    group: GATE,
    kind: kind.duration(),
    default: '1h',
    description:
      'How old the key set may become while its endpoint is down; then checks fail. At least JWKS_MAX_AGE.',
  }),

  LOG_LEVEL: variable({
    group: LOGS,
    kind: kind.logLevel,
    default: 'INFO',
    example: 'DEBUG',
    description:
      'The least severe messages that are logged: DEBUG, INFO, WARN or ERROR. Single checks appear at DEBUG.',
  }),
  LOG_FORMAT: variable({
    group: LOGS,
    kind: kind.oneOf('json', 'text'),
    default: 'json',
    example: 'text',
    description: 'One JSON object per line, or text for people.',
  }),
})

/** The names of all variables, in the order of the reference. */
export const variableNames: readonly VariableName[] = Object.keys(configSchema.shape) as VariableName[]
