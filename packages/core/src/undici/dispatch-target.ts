import type { Dispatcher } from 'undici'

/** The target of a dispatch. */
export interface DispatchTarget {
  readonly url: URL
  /** The path as it is sent; undici does not resolve dot segments. */
  readonly path: string
  /** The options with the judged values, each read once; these are dispatched. */
  readonly opts: Pick<Dispatcher.DispatchOptions, 'method' | 'path'> & { readonly origin: string }
}

/** Reads the target of a dispatch; `undefined` when it is not readable, which then gets no token. */
export function dispatchTarget({
  origin,
  path,
  method,
}: Dispatcher.DispatchOptions): DispatchTarget | undefined {
  const base = URL.parse(String(origin))
  if (base === null || typeof path !== 'string') return undefined
  // undici would drop the user information; a call with a token must not have any.
  if (base.username !== '' || base.password !== '') return undefined
  const opts = { origin: base.origin, path, method }
  // The path of a CONNECT is another host and port; a request to a proxy has an absolute URL.
  if (method === 'CONNECT') return { url: new URL('/', base), path: '/', opts }
  if (!path.startsWith('/')) return undefined
  const url = URL.parse(base.origin + path)
  return url === null ? undefined : { url, path: path.replace(/\?.*$/s, ''), opts }
}
