import type { TokenOrder } from '../clients/token-order.ts'
import type { Moment } from '../shared/clock.ts'
import type { BrokerError } from '../shared/errors.ts'
import type { SpanContext } from '../shared/tracer.ts'
import type { UpstreamRequest } from '../shared/upstream-request.ts'
import type { TokenResponse } from './dex/token-response.ts'
import type { SharedMark } from './shared-store/shared-mark.ts'

/** A token response, and the moment before its request was sent: network time counts as part of a token's life. */
export interface ObtainedToken {
  readonly response: TokenResponse
  readonly requestedAt: Moment
  /** The request that obtained it, for errors about the token itself; `undefined` for a token of the shared store. */
  readonly request: UpstreamRequest | undefined
  /** Its record in the shared store, if it has one. */
  readonly mark?: SharedMark | undefined
}

/** The source of tokens that are not cached. */
export interface TokenOrigin {
  /** The fields of the token response that its tokens have, by their JSON names. */
  readonly responseFields: readonly string[]

  /** The cached rejection of the same order, if there is one; sends no request. */
  rejection(order: TokenOrder): BrokerError | undefined

  /**
   * Obtains a token, once for all callers that wait for it. Rejects with a `BrokerError`, which can be the reason of the controller's signal.
   * Aborts the controller itself when its request has reached its deadline.
   * `onFirstFailure` receives the failure of an attempt that is retried, so that callers with an unexpired token stop waiting.
   * `parent`: of the spans of its requests.
   */
  obtain(
    order: TokenOrder,
    controller: AbortController,
    onFirstFailure: (failure: BrokerError) => void,
    parent?: SpanContext,
  ): Promise<ObtainedToken>
}
