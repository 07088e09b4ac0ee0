/** A request that the broker hands to its {@link Transport}. */
export interface TransportRequest {
  /** `POST` to the token endpoint, `GET` for discovery and key sets. */
  method: 'GET' | 'POST'
  /** Names in lower case. They can contain the client's credentials: do not log them. */
  headers: Record<string, string>
  /** The form of a token request, which can contain the client secret: do not log it. Absent for `GET`. */
  body?: string
  /** Always `manual`: a redirect would send client credentials to another server. */
  redirect: 'manual'
  /** Aborts at the deadline of the request, and when the broker closes. */
  signal: AbortSignal
  /** The broker refuses a longer body, so that a transport may stop after as many bytes. */
  maxBodyBytes?: number
}

/** The parts of a response that the broker reads; a `Response` of `fetch` fits. */
export interface TransportResponse {
  /** The HTTP status. */
  readonly status: number
  /** Returns the value of a header by its name in lower case, `null` when it is absent. */
  readonly headers: { get(name: string): string | null }
  /** The body, whole or in chunks, of which the broker may stop reading early; `null` when there is none. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null
}

/**
 * Sends the broker's requests to the token endpoint, to discovery and to JWKS endpoints; the global `fetch` fits.
 *
 * It must not follow redirects, must reject when `signal` aborts, and must release the connection when the iteration of
 * `body` ends early. It may decode `content-encoding`, as `fetch` does, or return the body unchanged.
 */
export type Transport = (url: string, request: TransportRequest) => Promise<TransportResponse>
