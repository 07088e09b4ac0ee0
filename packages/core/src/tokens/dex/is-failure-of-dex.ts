import type { BrokerError } from '../../shared/errors.ts'
import { isUnavailable } from '../../shared/http/upstream-status.ts'

/**
 * Tells whether Dex could not answer. A refusal by a proxy in front of Dex is an answer and not counted: the caller's request may
 * have caused it.
 */
export function isFailureOfDex({ transient, upstreamStatus, oauthError }: BrokerError): boolean {
  if (!transient) return false
  return upstreamStatus === undefined || oauthError !== undefined || isUnavailable(upstreamStatus)
}
