import type { BrokerError } from '../../shared/errors.ts'
import { isUnavailable } from '../../shared/http/upstream-status.ts'

/**
 * Tells whether Dex could not answer. A refusal by a proxy in front of Dex is an answer and not counted: the caller's request may
 * have caused it. Neither is a wait in the broker's own queue.
 */
export function isFailureOfDex({ code, transient, upstreamStatus, oauthError }: BrokerError): boolean {
  if (!transient || code === 'overloaded') return false
  return upstreamStatus === undefined || oauthError !== undefined || isUnavailable(upstreamStatus)
}
