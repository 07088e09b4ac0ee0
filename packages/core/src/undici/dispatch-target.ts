import type { Dispatcher } from 'undici'

/** Where a dispatch goes. */
export interface DispatchTarget {
  readonly url: URL
  /** The path as it will be written on the wire: undici resolves no dot segments in it. */
  readonly path: string
  /** The options that say so, each read once and as the text that was judged: these are dispatched. */
  readonly opts: Pick<Dispatcher.DispatchOptions, 'method' | 'path'> & { readonly origin: string }
}

/** `undefined` for what has no readable target, which then gets no token. */
export function dispatchTarget({
  origin,
  path,
  method,
}: Dispatcher.DispatchOptions): DispatchTarget | undefined {
  const base = URL.parse(String(origin))
  if (base === null || typeof path !== 'string') return undefined
  // undici would drop it; a call with a token names nobody else.
  if (base.username !== '' || base.password !== '') return undefined
  const opts = { origin: base.origin, path, method }
  // The path of a CONNECT is a host and a port beyond the origin; so is, for a proxy, an absolute URL.
  if (method === 'CONNECT') return { url: new URL('/', base), path: '/', opts }
  if (!path.startsWith('/')) return undefined
  const url = URL.parse(base.origin + path)
  return url === null ? undefined : { url, path: path.replace(/\?.*$/s, ''), opts }
}
