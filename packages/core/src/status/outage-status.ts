import type { BrokerErrorCode } from '../shared/errors.ts'

/** A failure, as an operator may see it. */
export interface FailureStatus {
  /** The code of the error. */
  readonly code: BrokerErrorCode
  /** The message of the error, without text of the upstream. */
  readonly message: string
  /** The action to take, worded by the option `describeHint`; `undefined` when no cause is known. */
  readonly hint: string | undefined
  /** The system's code of a failed connection, such as `ECONNREFUSED`. */
  readonly cause: string | undefined
  /** The request that failed: origin and path. */
  readonly url: string | undefined
}

/** A time in which requests failed, from the first failure to the next success. */
export interface OutagePeriod {
  /** The first failure. */
  readonly since: number
  /** The success that ended it; `undefined` while it lasts. */
  readonly until: number | undefined
  /** Requests to the upstream that failed, retries included. */
  readonly failedAttempts: number
  /** Lookups of callers that failed because of it. */
  readonly failedLookups: number
  /** The last failure. */
  readonly lastFailedAt: number
}

/** An outage with its last failure. */
export interface OutageStatus extends OutagePeriod {
  /** The last failure and its cause. */
  readonly lastFailure: FailureStatus
}
