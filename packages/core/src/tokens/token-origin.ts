import type { TokenOrder } from '../clients/token-order.ts'
import type { Moment } from '../shared/clock.ts'
import type { BrokerError } from '../shared/errors.ts'
import type { TokenResponse } from './dex/token-response.ts'

/** A good answer, and the moment before its request was sent: the network's time is part of a token's life. */
export interface ObtainedToken {
  readonly response: TokenResponse
  readonly requestedAt: Moment
}

/** Where tokens come from when none is cached. */
export interface TokenOrigin {
  /** What is known without asking: such an order was rejected a moment ago, and would be again. */
  rejection(order: TokenOrder): BrokerError | undefined

  /**
   * Called once for all who wait for the same token. Rejects with `BrokerError`, or with the signal's reason when that is one. `onFirstFailure` is told when the first try
   * failed and another one is made: who has a living token waits no longer.
   */
  obtain(
    order: TokenOrder,
    signal: AbortSignal,
    onFirstFailure: (failure: BrokerError) => void,
  ): Promise<ObtainedToken>
}
