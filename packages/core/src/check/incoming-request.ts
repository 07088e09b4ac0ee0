/** The client's request, as rules read it. */
export interface IncomingRequest {
  /** The method, as received; empty when it is unknown. */
  readonly method: string
  /**
   * The path without the query, in a form with one spelling per resource: characters that a path segment may contain are
   * decoded, other escapes are in upper case.
   *
   * Throws `forbidden` for a path that is unknown, or that a backend could read as another one.
   */
  readonly path: string
  /** Whether `path` has a value: the path is known, and every backend reads it in the same way. */
  readonly isPathClear: boolean
  /** The path without the query, as received; empty when it is unknown. */
  readonly rawPath: string
  /** The query without `?`, as received; empty without one. */
  readonly query: string
  /** The header `host`, in lower case; empty without one. Throws `invalid_request` when it appears more than once, or has a comma. */
  readonly host: string
  /** The headers, names in lower case; a list for a header on several lines. Without the client secret, the JWT and Basic credentials. Frozen. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** The time of the check, in milliseconds since 1970. */
  readonly time: number
  /** Values that the proxy adds for a route; empty without any. */
  readonly context: Readonly<Record<string, string>>
}
