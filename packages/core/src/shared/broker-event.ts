import type { BrokerErrorCode } from './errors.ts'

/** What the broker did on the network, for metrics: once for each request, when it is over. */
export type BrokerEvent =
  | {
      readonly type: 'token_request'
      /** `issued`, or the code of the error that every waiter received. */
      readonly outcome: 'issued' | BrokerErrorCode
      readonly durationMs: number
    }
  | {
      readonly type: 'discovery'
      readonly outcome: 'discovered' | 'failed'
      readonly durationMs: number
    }
  | {
      readonly type: 'jwks_refresh'
      readonly outcome: 'refreshed' | 'failed'
      readonly durationMs: number
    }

/** Called synchronously; what it throws is logged. */
export type BrokerObserver = (event: BrokerEvent) => void
