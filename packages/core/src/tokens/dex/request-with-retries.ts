import { setTimeout as pause } from 'node:timers/promises'
import { BrokerError } from '../../shared/errors.ts'
import { isNeverJudged } from '../../shared/http/upstream-status.ts'

const maxRetries = 2
const minPauseMs = 50
const maxPauseMs = 500

export interface RetryOptions {
  /** Bounds all attempts and the pauses between them. */
  readonly signal: AbortSignal
  readonly random: () => number
  /** Receives the failure of each attempt that another one follows, before the pause. */
  readonly onFailedAttempt: (failure: BrokerError) => void
  /** Tells whether another attempt is allowed. */
  readonly mayTryAgain: () => boolean
}

/**
 * Makes an attempt, and at most two more when Dex never judged the request: no connection, a reset, or a
 * status such as 502, 503, 504 or 408.
 * Pauses are random, 50 to 500 ms, so that many brokers do not retry at the same moment. Attempts count from 1.
 */
export async function requestWithRetries<T>(
  attempt: (number: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const { signal, random, onFailedAttempt, mayTryAgain } = options
  for (let retries = 0; ; retries++) {
    try {
      return await attempt(retries + 1)
    } catch (error) {
      if (!BrokerError.is(error)) throw error
      if (retries === maxRetries || signal.aborted || !isUnjudged(error) || !mayTryAgain()) throw error
      onFailedAttempt(error)
      const interrupted = await pause(minPauseMs + random() * (maxPauseMs - minPauseMs), false, {
        signal,
      }).catch(() => true)
      if (interrupted) throw error
    }
  }
}

/** An answer with `Retry-After` is not retried earlier, and an OAuth error is Dex's own answer. */
function isUnjudged({ transient, retryAfterMs, upstreamStatus, oauthError }: BrokerError): boolean {
  if (!transient || retryAfterMs !== undefined || oauthError !== undefined) return false
  return upstreamStatus === undefined || isNeverJudged(upstreamStatus)
}
