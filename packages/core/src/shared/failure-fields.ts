import type { BrokerError } from './errors.ts'
import { networkFailureCode } from './http/network-failure.ts'
import type { Surroundings } from './surroundings.ts'

/** The fields that every log line about a failed request to an upstream has; absent values are `undefined`. */
export interface FailureFields {
  readonly url: string | undefined
  readonly attempt: number | undefined
  /** In whole milliseconds. */
  readonly timeoutMs: number | undefined
  /** The system's code of a failed connection, such as `ECONNREFUSED`. */
  readonly cause: string | undefined
  readonly hint: string | undefined
}

/** Derives the log fields of a failure; token endpoint, discovery and key set share them. */
export function failureFields(
  { upstreamRequest: request, cause, hint }: BrokerError,
  { describeHint }: Pick<Surroundings, 'describeHint'>,
): FailureFields {
  return {
    url: request?.url,
    attempt: request?.attempt,
    timeoutMs: request?.timeoutMs,
    cause: networkFailureCode(cause),
    hint: hint && describeHint(hint),
  }
}
