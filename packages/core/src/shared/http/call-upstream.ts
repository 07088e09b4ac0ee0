import { changedError } from '../changed-error.ts'
import { BrokerError, type BrokerErrorCode } from '../errors.ts'
import type { SpanContext, Tracer } from '../tracer.ts'
import { upstreamRequest } from '../upstream-request.ts'
import { startUpstreamSpan, type UpstreamSpan } from '../upstream-span.ts'
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
  readonly tracer: Tracer | undefined
  readonly span: UpstreamSpan
  /** Sends the request and reads the answer. `context`: of its span. */
  readonly send: (context: SpanContext | undefined) => Promise<Answer>
  /** Turns the answer into a result, or throws a `BrokerError`. */
  readonly judge: (answer: Answer) => Result
}

/**
 * Makes one request to an upstream. Every failure carries the URL, the attempt and the limit of the request, whichever
 * upstream it is.
 */
export async function callUpstream<Answer extends { readonly status: number }, Result>(
  call: UpstreamCall<Answer, Result>,
): Promise<Result> {
  const { tracer, judge } = call
  const span = tracer && startUpstreamSpan(tracer, call.span, call)
  let answer: Answer | undefined
  try {
    answer = await call.send(span?.context)
    span?.setAttributes({ 'http.response.status_code': answer.status })
    const result = judge(answer)
    span?.end()
    return result
  } catch (error) {
    const failure = failureOf(call, answer === undefined ? noResponse(call, error) : error)
    span?.end(BrokerError.is(failure) ? failure.code : 'server_error')
    throw failure
  }
}

function failureOf({ url, attempt, timeoutMs, signal }: Upstream, error: unknown): unknown {
  // The broker was closed meanwhile.
  if (BrokerError.is(signal.reason)) return signal.reason
  if (!BrokerError.is(error)) return error
  return changedError(error, { upstreamRequest: upstreamRequest(url, attempt, timeoutMs) })
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
