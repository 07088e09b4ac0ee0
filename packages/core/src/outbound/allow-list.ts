import { isUnambiguousPath } from './unambiguous-path.ts'

interface AllowedPlace {
  readonly origin: string
  /** `/` stands for every path; otherwise matched with whole segments. */
  readonly path: string
}

/** The places that tokens may be sent to: origins, each with a path prefix if wanted. */
export class AllowList {
  readonly #places: readonly AllowedPlace[]

  /** Throws a `TypeError` that starts with `allow` for an empty list and for what is no exact origin. */
  constructor(entries: unknown) {
    if (!Array.isArray(entries) || entries.length === 0) {
      throw new TypeError('allow must be an array of at least one origin, like https://api.example.com')
    }
    this.#places = entries.map((entry, index) => allowedPlace(entry, `allow[${index}]`))
  }

  /**
   * Whether a URL is inside. `path` is the path that goes on the wire, when that is not the one of the URL.
   *
   * A prefix counts in whole segments: `/v1` is `/v1` and `/v1/...`, never `/v1x`; `/v1/` is only `/v1/...`. Under a
   * prefix, a path that some server could read as another one is outside: see {@link isUnambiguousPath}.
   */
  includes(url: URL, path: string = url.pathname): boolean {
    if (url.username !== '' || url.password !== '') return false
    for (const place of this.#places) {
      // The origin of a blob is that of its maker.
      if (place.origin !== url.origin || url.protocol === 'blob:') continue
      if (place.path === '/' || (startsWith(url.pathname, place.path) && isUnambiguousPath(path))) return true
    }
    return false
  }
}

function startsWith(pathname: string, prefix: string): boolean {
  if (!pathname.startsWith(prefix)) return false
  return pathname.length === prefix.length || prefix.endsWith('/') || pathname[prefix.length] === '/'
}

function allowedPlace(entry: unknown, option: string): AllowedPlace {
  if (typeof entry !== 'string' || !URL.canParse(entry))
    throw new TypeError(`${option} must be an absolute URL`)
  const url = new URL(entry)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new TypeError(`${option} must be an https or http URL`)
  }
  if (url.username !== '' || url.password !== '')
    throw new TypeError(`${option} must not contain user information`)
  if (/[?#]/.test(entry)) throw new TypeError(`${option} must not have a query or a fragment`)
  if (/[*\s]/.test(entry)) throw new TypeError(`${option} must be one exact origin, without wildcards`)
  if (!isUnambiguousPath(entry)) {
    throw new TypeError(`${option} must not have dot segments, backslashes or encoded slashes in its path`)
  }
  return { origin: url.origin, path: url.pathname }
}
