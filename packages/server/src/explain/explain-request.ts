/** The request that `explain` is asked about. */
export interface ExplainRequest {
  /** Where the caller comes from; `undefined` without one. */
  readonly caller:
    | { readonly jwt: string }
    | { readonly claims: Readonly<Record<string, unknown>>; readonly issuer: string | undefined }
    | undefined
  readonly method: string
  /** The target as the client sends it, with its query. */
  readonly path: string
  /** Header lines: name, value, name, value. */
  readonly headers: readonly string[]
  /** The `context_extensions` of the route. */
  readonly context: Readonly<Record<string, string>>
}
