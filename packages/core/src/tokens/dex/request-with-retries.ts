import { setTimeout as pause } from 'node:timers/promises'
import { BrokerError } from '../../shared/errors.ts'
import { isNeverJudged } from './upstream-status.ts'

const maxRetries = 2
const minPauseMs = 50
const maxPauseMs = 500

export interface RetryOptions {
  /** Bounds all attempts and the pauses between them. */
  readonly signal: AbortSignal
  readonly random: () => number
  /** Told of each attempt that failed, before the pause. */
  readonly onFailedAttempt: (failure: BrokerError) => void
  /** Whether another attempt may be made. */
  readonly mayTryAgain: () => boolean
}

/**
 * Makes an attempt, and at most two more when Dex has never judged the request: no connection, a reset,
 * or a status such as 502, 503, 504 or 408.
 * The pauses are 50 to 500 ms at random, so that many brokers do not come back together.
 */
export async function requestWithRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, random, onFailedAttempt, mayTryAgain } = options
  for (let retries = 0; ; retries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!BrokerError.is(error)) throw error
      onFailedAttempt(error)
      if (retries === maxRetries || signal.aborted || !isUnjudged(error) || !mayTryAgain()) throw error
      const interrupted = await pause(minPauseMs + random() * (maxPauseMs - minPauseMs), false, {
        signal,
      }).catch(() => true)
      if (interrupted) throw error
    }
  }
}

/** A server that names the time to come back gets it, and an OAuth error is Dex's own word. */
function isUnjudged({ transient, retryAfterMs, upstreamStatus, oauthError }: BrokerError): boolean {
  if (!transient || retryAfterMs !== undefined || oauthError !== undefined) return false
  return upstreamStatus === undefined || isNeverJudged(upstreamStatus)
}
