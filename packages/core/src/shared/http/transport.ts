export interface TransportRequest {
  method: 'GET' | 'POST'
  headers: Record<string, string>
  body?: string
  /** Always `manual`: a redirect would carry client credentials to another place. */
  redirect: 'manual'
  signal: AbortSignal
}

export interface TransportResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: AsyncIterable<Uint8Array> | null
}

/**
 * How the broker reaches the token endpoint and the JWKS endpoint; the global `fetch` fits.
 *
 * It must not follow redirects, must reject when `signal` aborts, and must let go of the connection when the
 * iteration of `body` ends early. It may decode `content-encoding`, as `fetch` does, or hand on the body as it came.
 */
export type Transport = (url: string, request: TransportRequest) => Promise<TransportResponse>
