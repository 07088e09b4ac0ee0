import { clientIdHeader, clientSecretHeader, idTokenHeader, scopeHeader } from './header-names.ts'

/** The settings of Envoy's ext_authz filter, named as there: whatever plays the gateway follows these. */
export const extAuthz = {
  pathPrefix: '/check',
  /** Longer than the broker's own bound on a token request, so that the broker's answer comes first. */
  timeoutMs: 6_000,
  /** Answer to a check that failed, in place of the 403 that Envoy gives otherwise. */
  statusOnError: 503,
  /** Go into the check beside those that always do. */
  allowedHeaders: [clientIdHeader, clientSecretHeader, scopeHeader],
  /** Go from an allowing answer into the request for the backend. */
  allowedUpstreamHeaders: ['authorization', idTokenHeader],
  /** Go from a denial to the client beside those that always do. */
  allowedClientHeaders: ['content-type', 'retry-after', 'cache-control'],
} as const
