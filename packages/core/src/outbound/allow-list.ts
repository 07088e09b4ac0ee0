import { isUnambiguousPath } from '../shared/unambiguous-path.ts'

interface AllowedPlace {
  readonly origin: string
  /** `/` matches every path; any other prefix matches whole segments. */
  readonly path: string
}

/** The origins, with optional path prefixes, to which tokens may be sent. */
export class AllowList {
  readonly #places: readonly AllowedPlace[]

  /** Throws a `TypeError` that starts with `allow` for an empty list and for an entry that is not an exact origin. */
  constructor(entries: unknown) {
    if (!Array.isArray(entries) || entries.length === 0) {
      throw new TypeError('allow must be an array of at least one origin, like https://api.example.com')
    }
    this.#places = entries.map((entry, index) => allowedPlace(entry, `allow[${index}]`))
  }

  /**
   * Tells whether a URL is allowed. `path` is the path that is sent, if it differs from the URL's.
   *
   * A prefix matches whole segments: `/v1` matches `/v1` and `/v1/...`, never `/v1x`; `/v1/` matches `/v1/...` only. Under a
   * prefix, a path that a server could read differently is refused: see {@link isUnambiguousPath}.
   */
  includes(url: URL, path: string = url.pathname): boolean {
    if (url.username !== '' || url.password !== '') return false
    for (const place of this.#places) {
      // A blob URL has the origin of its creator.
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
