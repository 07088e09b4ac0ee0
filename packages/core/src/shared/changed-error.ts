import { BrokerError, type BrokerErrorCode, type BrokerErrorOptions } from './errors.ts'
import { isLoggedRefusal, loggedRefusal } from './logged-refusals.ts'
import { carryOutages } from './outage.ts'

export interface ErrorChanges extends BrokerErrorOptions {
  readonly code?: BrokerErrorCode
  readonly message?: string
}

/** Copies a failure with some parts changed. Everything else stays: hint, upstream request, cause, outages. */
export function changedError(
  error: BrokerError,
  { code = error.code, message = error.message, ...options }: ErrorChanges,
): BrokerError {
  const { retryAfterMs, transient, upstreamStatus, upstreamRequest, oauthError, oauthErrorDescription } =
    error
  const { hint, credentialsAbsent, cause } = error
  const copy = new BrokerError(code, message, {
    retryAfterMs,
    transient,
    upstreamStatus,
    upstreamRequest,
    oauthError,
    oauthErrorDescription,
    hint,
    credentialsAbsent,
    cause,
    ...options,
  })
  carryOutages(error, copy)
  return isLoggedRefusal(error) ? loggedRefusal(copy) : copy
}
