import { isLoopbackHost } from '../is-loopback-host.ts'

/**
 * Validates a URL for credentials or keys and returns it normalised.
 *
 * Accepts `https`, `http` on loopback, and any `http` with `allowInsecure`; neither user information nor a fragment. Throws a
 * `TypeError` that starts with the option's name.
 */
export function endpointUrl(value: unknown, option: string, allowInsecure: boolean): string {
  if (typeof value !== 'string' || !URL.canParse(value))
    throw new TypeError(`${option} must be an absolute URL`)
  const url = new URL(value)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new TypeError(`${option} must be an https or http URL`)
  }
  if (url.username !== '' || url.password !== '')
    throw new TypeError(`${option} must not contain user information`)
  if (url.hash !== '') throw new TypeError(`${option} must not have a fragment`)
  if (!allowInsecure && isExposedUrl(url)) {
    throw new TypeError(`${option} must use https; allowInsecureUrls permits http`)
  }
  return url.href
}

/** Tells whether requests to a URL leave this host unencrypted: `http` to an address other than loopback. */
export function isExposedUrl({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !isLoopbackHost(hostname)
}
