import { changedError } from '../changed-error.ts'
import { BrokerError, type BrokerErrorCode } from '../errors.ts'
import { upstreamRequest } from '../upstream-request.ts'
import { networkFailureCode, networkFailureHint } from './network-failure.ts'

interface Upstream {
  readonly url: string
  /** Number of the attempt, from 1. */
  readonly attempt: number
  /** Limit of the request, in milliseconds; `signal` aborts when it is over. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** The upstream as messages name it: `the token endpoint`. */
  readonly upstream: string
  /** The option that holds its URL. */
  readonly option: string
  /** The code of an upstream without a response. */
  readonly unavailable: BrokerErrorCode
}

export interface UpstreamCall<Answer, Result> extends Upstream {
  /** Sends the request and reads the answer. */
  readonly send: () => Promise<Answer>
  /** Turns the answer into a result, or throws a `BrokerError`. */
  readonly judge: (answer: Answer) => Result
}

/**
 * Makes one request to an upstream. Every failure carries the URL, the attempt and the limit of the request, whichever
 * upstream it is.
 */
export async function callUpstream<Answer, Result>(call: UpstreamCall<Answer, Result>): Promise<Result> {
  const { url, attempt, timeoutMs, signal, send, judge } = call
  try {
    return judge(await send().catch(cause => Promise.reject(noResponse(call, cause))))
  } catch (error) {
    // The broker was closed meanwhile.
    if (BrokerError.is(signal.reason)) throw signal.reason
    if (!BrokerError.is(error)) throw error
    throw changedError(error, { upstreamRequest: upstreamRequest(url, attempt, timeoutMs) })
  }
}

function noResponse(
  { unavailable, upstream, option, timeoutMs, signal }: Upstream,
  cause: unknown,
): BrokerError {
  // A transport of ours knows the problem better.
  if (BrokerError.is(cause)) return changedError(cause, { code: unavailable })
  return new BrokerError(
    unavailable,
    signal.aborted ? `${upstream} timed out` : `${upstream} is unavailable`,
    {
      transient: true,
      cause,
      hint: signal.aborted
        ? { problem: 'not_answered_in_time', option, detail: `${Math.ceil(timeoutMs)} ms` }
        : networkFailureHint(networkFailureCode(cause), option),
    },
  )
}
