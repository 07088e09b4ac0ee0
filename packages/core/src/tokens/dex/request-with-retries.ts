import { setTimeout as pause } from 'node:timers/promises'
import { BrokerError } from '../../shared/errors.ts'

const maxRetries = 2
const minPauseMs = 50
const maxPauseMs = 500
/** Answers of what stands in front of Dex: the request was never judged. A 500 is Dex's own word. */
const unjudgedStatuses = new Set([502, 503, 504])

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
 * Makes an attempt, and at most two more when Dex has never judged the request: no connection, a reset, 502, 503 or 504.
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

/** A server that names the time to come back gets it. */
function isUnjudged({ transient, retryAfterMs, upstreamStatus }: BrokerError): boolean {
  if (!transient || retryAfterMs !== undefined) return false
  return upstreamStatus === undefined || unjudgedStatuses.has(upstreamStatus)
}
