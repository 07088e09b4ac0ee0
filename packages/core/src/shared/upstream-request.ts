import { shownUrl } from './http/shown-url.ts'

/** A request of the broker to Dex or to a JWKS endpoint. For the operator; never sent to a caller. */
export interface UpstreamRequest {
  /** Origin and path; a query is shown as `?...`, because it could hold a secret. */
  readonly url: string
  /**
   * Number of the attempt, from 1. At the token endpoint it counts the attempts of one token request, 3 at most. For
   * discovery and key sets it counts the attempts since the last success.
   */
  readonly attempt: number
  /** Limit of the whole request, retries included, in whole milliseconds: the option `requestTimeoutMs`. */
  readonly timeoutMs: number
}

/** Describes a request for errors and log lines. */
export function upstreamRequest(url: string, attempt: number, timeoutMs: number): UpstreamRequest {
  return { url: shownUrl(url), attempt, timeoutMs: Math.ceil(timeoutMs) }
}
