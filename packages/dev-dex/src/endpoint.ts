/** The endpoints of an issuer that can be made to fail by name. */
export type EndpointName = 'token' | 'keys' | 'discovery'

/** Route of each endpoint below the issuer's path. */
export const endpointRoutes: Readonly<Record<EndpointName, string>> = {
  token: '/token',
  keys: '/keys',
  discovery: '/.well-known/openid-configuration',
}

/** An endpoint by its name, or any raw path on the server (the issuer's path included). */
export type FaultTarget = EndpointName | `/${string}`
