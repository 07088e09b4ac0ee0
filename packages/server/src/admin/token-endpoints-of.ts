import type { IssuerStatus, TokenEndpointStatus } from '@broker/core'

/** A token endpoint of an issuer. */
export interface NamedTokenEndpoint {
  /** The name of the issuer; with ` mtls` for the clients that a certificate authenticates, which can have another endpoint. */
  readonly name: string
  readonly endpoint: TokenEndpointStatus
}

/** The token endpoints of an issuer: none, one, or one more for clients with a certificate. */
export function tokenEndpointsOf({
  name,
  tokenEndpoint,
  mtlsTokenEndpoint,
}: IssuerStatus): readonly NamedTokenEndpoint[] {
  return [
    ...(tokenEndpoint === undefined ? [] : [{ name, endpoint: tokenEndpoint }]),
    ...(mtlsTokenEndpoint === undefined ? [] : [{ name: `${name} mtls`, endpoint: mtlsTokenEndpoint }]),
  ]
}
