import type { TokenOrder } from '../clients/token-order.ts'
import { BrokerError } from '../shared/errors.ts'
import { countFailedLookups } from '../shared/outage.ts'
import type { ClientHistories } from './client-histories.ts'

interface FailedLookup {
  readonly order: TokenOrder
  readonly work: { lostLookups: number }
  readonly histories: ClientHistories
}

/** Counts a lookup that ends without a token, and rejects it. */
export function lookupFailed({ order, work, histories }: FailedLookup, error: unknown): never {
  if (BrokerError.is(error)) {
    histories.lookupFailed(order)
    // An error that belongs to no outage, such as the caller's own timeout: the work may fail later.
    if (!countFailedLookups(error)) work.lostLookups++
  }
  throw error
}
