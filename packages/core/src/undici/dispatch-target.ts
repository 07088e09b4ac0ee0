import type { Dispatcher } from 'undici'

/** Where a dispatch goes. */
export interface DispatchTarget {
  readonly url: URL
  /** The path as it will be written on the wire: undici resolves no dot segments in it. */
  readonly path: string
}

/** `undefined` for what has no readable target, which then gets no token. */
export function dispatchTarget({
  origin,
  path,
  method,
}: Dispatcher.DispatchOptions): DispatchTarget | undefined {
  const base = URL.parse(String(origin))
  if (base === null || typeof path !== 'string') return undefined
  // The path of a CONNECT is a host and a port beyond the origin; so is, for a proxy, an absolute URL.
  if (method === 'CONNECT') return { url: new URL('/', base), path: '/' }
  if (!path.startsWith('/')) return undefined
  const url = URL.parse(base.origin + path)
  return url === null ? undefined : { url, path: path.replace(/\?.*$/s, '') }
}
