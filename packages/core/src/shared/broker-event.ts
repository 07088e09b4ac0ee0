import type { BrokerErrorCode } from './errors.ts'
import type { JwtRefusalReason } from './jwt-refusal-reason.ts'

/** What the broker did, for metrics: each request to Dex or to a JWKS endpoint when it is over, and each refused JWT. */
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
  | {
      readonly type: 'jwt_refusal'
      readonly reason: JwtRefusalReason
    }

/** Called synchronously; what it throws is logged. */
export type BrokerObserver = (event: BrokerEvent) => void
