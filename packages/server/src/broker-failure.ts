import type { BrokerError } from '@broker/core'
import { networkFailureCode } from '@broker/core/diagnosis'
import type { Config } from './config/config.ts'
import { describeHint } from './describe-hint.ts'

/** Words the error of a broker for the operator. `context` has the limit for a call that ended before its request did. */
export function brokerFailure(
  error: BrokerError,
  { timeoutMs, config }: { readonly timeoutMs: number; readonly config: Config },
): {
  readonly fact: string
  readonly advice: string | undefined
} {
  const { message, code, cause, hint, upstreamStatus, oauthError, oauthErrorDescription } = error
  // A call that waits no longer than its own limit does not learn how the request ended.
  const timeoutAdvice =
    code === 'token_endpoint_unavailable'
      ? describeHint({
          problem: 'not_answered_in_time',
          option: config.broker.tokenEndpoint === undefined ? 'issuer' : 'tokenEndpoint',
          detail: `${timeoutMs} ms`,
        })
      : undefined
  const details = [
    code,
    oauthError,
    upstreamStatus === undefined ? undefined : `status ${upstreamStatus}`,
    networkFailureCode(cause),
    oauthErrorDescription,
  ]
  return {
    fact: `${message} (${details.filter(detail => detail !== undefined).join(', ')})`,
    advice: hint === undefined ? timeoutAdvice : describeHint(hint),
  }
}
