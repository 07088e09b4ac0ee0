import { posix } from 'node:path'

/** Where an issuer's endpoints are: the issuer string itself, and each route joined onto its path. */
export interface IssuerLocation {
  /** The issuer exactly as configured: a trailing slash survives here, but not in the endpoints. */
  readonly issuer: string
  /** The raw path of a route, such as `/dex/token`. */
  path(route: string): string
  /** The absolute URL of a route. */
  url(route: string): string
}

/** Locates the endpoints of an issuer as Dex does, with `path.Join`. */
export function locateIssuer(issuer: string): IssuerLocation {
  const { origin, pathname } = new URL(issuer)
  const path = (route: string) => posix.join(pathname, route)
  return { issuer, path, url: route => `${origin}${path(route)}` }
}
