import type { IssuerOptions } from '../options/broker-options.ts'
import { assertKnownNames, checked, given, oneOrMore, strings } from '../options/option-values.ts'
import { createApiServerTransport } from './api-server-transport.ts'

/** The service account mount of a pod. */
const mount = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The options of {@link kubernetesIssuer}. */
export interface KubernetesIssuerOptions {
  /** The name for rules, logs and `AuthenticatedCaller.issuer`: 1 to 64 letters, digits, `-`, `_` and `.`; unique. */
  readonly name: string
  /**
   * The accepted audiences: `aud` must contain one of them. Required, because every pod has a token for the API server, and such
   * a token must not pass here.
   */
  readonly audiences: string | readonly string[]
  /** URL of the Kubernetes API server, `https` only. Default `https://kubernetes.default.svc`. */
  readonly server?: string | undefined
  /** PEM file with the CA of the API server; other certificates are refused. Default: `ca.crt` of the pod's mount. */
  readonly caFile?: string | undefined
  /** File with the broker's own token for the API server. Default: `token` of the pod's mount. */
  readonly tokenFile?: string | undefined
  /** The expected `iss`, compared exactly. Default: `issuer` of the discovery document. */
  readonly issuer?: string | undefined
  /** Works like `algorithms` of an issuer. Default: RS256, RS384, RS512, ES256, ES384 and ES512. */
  readonly algorithms?: readonly string[] | undefined
  /** The claim with the caller's groups. Default `groups`, which the JWTs of service accounts do not have. */
  readonly groupsClaim?: string | undefined
  /** Tolerated clock difference for `exp` and `nbf`, in milliseconds. Default: `gate.clockToleranceMs`. */
  readonly clockToleranceMs?: number | undefined
}

const names = [
  'name',
  'audiences',
  'server',
  'caFile',
  'tokenFile',
  'issuer',
  'algorithms',
  'groupsClaim',
  'clockToleranceMs',
] as const satisfies readonly (keyof KubernetesIssuerOptions)[]

/**
 * Creates the options of an issuer for the service accounts of a Kubernetes cluster, for `issuers` of `TokenBroker`. A caller's
 * `subject` is `system:serviceaccount:<namespace>:<name>`; its claim `kubernetes.io` has namespace, pod and service account.
 *
 * Discovery and keys come from `server`, at `/.well-known/openid-configuration` and `/openid/v1/jwks`; the `jwks_uri` of the
 * document is not used, so that the token goes to no other host. Both files are read for each request, so that rotated ones take
 * effect. Without a readable file checks fail with `jwks_unavailable`.
 *
 * Throws a `TypeError` for wrong options.
 */
export function kubernetesIssuer(options: KubernetesIssuerOptions): IssuerOptions {
  assertKnownNames(options, names)
  const {
    name,
    server = 'https://kubernetes.default.svc',
    caFile = `${mount}/ca.crt`,
    tokenFile = `${mount}/token`,
    issuer,
    algorithms,
    groupsClaim,
    clockToleranceMs,
  } = options
  const base = serverUrl(server)
  const transport = createApiServerTransport({
    name: checked(name, 'name', 'string'),
    origin: new URL(base).origin,
    caFile: path(caFile, 'caFile'),
    tokenFile: path(tokenFile, 'tokenFile'),
  })
  return {
    name,
    issuer,
    discoveryUrl: `${base}/.well-known/openid-configuration`,
    jwksUri: `${base}/openid/v1/jwks`,
    audiences: requiredAudiences(options.audiences),
    algorithms,
    groupsClaim,
    clockToleranceMs,
    transport,
  }
}

function requiredAudiences(value: unknown): readonly string[] {
  if (value === undefined || value === null) {
    throw new TypeError(
      'audiences is required: every pod has a token for the API server, which would pass without it',
    )
  }
  const audiences = strings(oneOrMore(value as string | readonly string[]), 'audiences')
  // The empty list and the empty string would accept any audience.
  given(audiences, 'audiences')
  return audiences
}

/** Returns the URL without a trailing slash. */
function serverUrl(server: string): string {
  const url = URL.canParse(checked(server, 'server', 'string')) ? new URL(server) : undefined
  if (url?.protocol !== 'https:')
    throw new TypeError('server must be an https URL: the broker sends it a token')
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('server must be a URL without user information, query and fragment')
  }
  return url.href.replace(/\/+$/, '')
}

function path(value: string, option: string): string {
  if (checked(value, option, 'string') === '') throw new TypeError(`${option} must not be empty`)
  return value
}
