import type { Answer } from './answer.ts'

/** One way for an endpoint to misbehave. */
export type FaultKind =
  /** Waits before the true answer. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** Takes the request and never answers; the socket stays open until the client or `close()` ends it. */
  | { readonly kind: 'hang' }
  /** Ends the connection: at once with a TCP reset (default), or in the middle of the true answer's body. */
  | { readonly kind: 'reset'; readonly midBody?: boolean }
  /** Streams one endless-looking JSON string of up to `bytes` (default 1 GiB), with or without Content-Length. */
  | { readonly kind: 'huge'; readonly bytes?: number; readonly declareLength?: boolean }
  /** An HTML page with this status (default 500), as Dex or a proxy in front of it sends one. */
  | { readonly kind: 'html'; readonly status?: number }
  /** Sends the client elsewhere with this status (default 302). */
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number }
  /** Leaves `expires_in` out of the true token response. */
  | { readonly kind: 'missing_expires_in' }
  /** Any answer at all, without a Content-Length unless one is given. */
  | ({ readonly kind: 'answer' } & Partial<Answer>)
  /** Changes the true answer; mind its Content-Length. */
  | { readonly kind: 'rewrite'; readonly rewrite: (answer: Answer) => Answer }

/** A fault and which requests it hits: all of them until it is cleared, unless something else is given. */
export type Fault = FaultKind & {
  /** How many requests at most. */
  readonly times?: number
  /** Only token requests of these clients. */
  readonly forClient?: (clientId: string) => boolean
}
