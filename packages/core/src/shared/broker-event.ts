import type { BrokerErrorCode } from './errors.ts'
import type { JwtRefusalReason } from './jwt-refusal-reason.ts'

/**
 * An event for metrics: the end of a request to the token endpoint, to discovery, to a JWKS endpoint or to the shared store, or a
 * refused JWT.
 */
export type BrokerEvent =
  | {
      /**
       * One request to the token endpoint. A retry is another event, and so is a request with another secret after Dex refused the
       * first one.
       */
      readonly type: 'token_request'
      /** `issued`, or the code of the error. */
      readonly outcome: 'issued' | BrokerErrorCode
      /** Time from sending to the end of the answer, in milliseconds with a fraction. */
      readonly durationMs: number
    }
  | {
      /** One request for the discovery document of `issuer`. */
      readonly type: 'discovery'
      /** `failed` also for an unusable document. */
      readonly outcome: 'discovered' | 'failed'
      /** In milliseconds with a fraction. */
      readonly durationMs: number
    }
  | {
      /** One request for a key set, of the gate or of Dex. */
      readonly type: 'jwks_refresh'
      /** `failed` also for a key set without a usable key. */
      readonly outcome: 'refreshed' | 'failed'
      /** In milliseconds with a fraction; discovery counts when the refresh waited for it. */
      readonly durationMs: number
    }
  | {
      /** One JWT that the gate refused. */
      readonly type: 'jwt_refusal'
      /** The reason of the refusal. */
      readonly reason: JwtRefusalReason
    }
  | {
      /** One call of the shared store. */
      readonly type: 'shared_store'
      /** The call that was made or skipped. */
      readonly operation: SharedStoreOperation
      /** How the call ended. */
      readonly outcome: SharedStoreOutcome
      /** In milliseconds with a fraction; 0 when no call was made. */
      readonly durationMs: number
    }
  | {
      /** The circuit in front of the shared store opened or closed. */
      readonly type: 'shared_store_circuit'
      /** The new state of the circuit. */
      readonly outcome: 'opened' | 'closed'
    }

/** A call of the shared store. */
export type SharedStoreOperation = 'get' | 'lease' | 'put' | 'release' | 'forget'

/**
 * The end of a call of the shared store. `get` ends with `record` or `none`; `lease` with `record`, `leased` or `held` (by another
 * replica); `put` with `kept` or `refused`; `release` and `forget` with `done`. Any call can end with `timeout`, `failed` or
 * `unreadable` (not sealed with a known key, or not an answer of a store), or with `open`: the circuit is open, no call was made.
 */
export type SharedStoreOutcome =
  | 'record'
  | 'none'
  | 'leased'
  | 'held'
  | 'kept'
  | 'refused'
  | 'done'
  | 'unreadable'
  | 'timeout'
  | 'failed'
  | 'open'

/** Receives events synchronously. An error that it throws is logged and changes nothing else. */
export type BrokerObserver = (event: BrokerEvent) => void
