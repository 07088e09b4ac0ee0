import type { WaitingCallers } from '../shared/waiting-callers.ts'
import type { AcceptedClients } from './accepted-clients.ts'
import type { TokenCache } from './cache/token-cache.ts'
import type { ClientHistories } from './client-histories.ts'
import type { SharedOrigins } from './shared-store/shared-origins.ts'
import type { SharedRecords } from './shared-store/shared-records.ts'

/** The parts that tokens are made with. */
export interface TokensOptions {
  readonly origins: Pick<SharedOrigins, 'of'>
  readonly records: SharedRecords
  readonly cache: TokenCache
  /** Maintained here and read by the origin. */
  readonly accepted: AcceptedClients
  /** Limit of callers that wait at the same time. */
  readonly callers: WaitingCallers
  readonly histories: ClientHistories
}
