import type { BrokerError } from '@broker/core'
import { networkFailureCode } from '@broker/core/diagnosis'
import type { Config } from './config/config.ts'
import { describeHint } from './describe-hint.ts'

/** The configuration of a call, and its limit: the call may end before its request does. */
export interface LimitedCall {
  readonly config: Config
  readonly timeoutMs: number
  /** The option that sets the limit. Default: the variable. */
  readonly timeoutName?: string
}

/** Words the error of a broker for the operator. */
export function brokerFailure(
  error: BrokerError,
  call: LimitedCall,
): {
  readonly fact: string
  readonly advice: string | undefined
} {
  const { message, code, cause, hint, upstreamStatus, oauthError, oauthErrorDescription } = error
  // A call that waits no longer than its own limit does not learn how the request ended.
  const timeoutAdvice = code === 'token_endpoint_unavailable' ? lateAdvice(call) : undefined
  const details = [
    code,
    oauthError,
    upstreamStatus === undefined ? undefined : `status ${upstreamStatus}`,
    networkFailureCode(cause),
    oauthErrorDescription,
  ]
  return {
    fact: `${message} (${details.filter(detail => detail !== undefined).join(', ')})`,
    advice: hint === undefined ? timeoutAdvice : describeHint(hint, call.timeoutName),
  }
}

/** Advises the operator of a call that its limit ended. */
export function lateAdvice({ config, timeoutMs, timeoutName }: LimitedCall): string {
  const option = config.broker.tokenEndpoint === undefined ? 'issuer' : 'tokenEndpoint'
  return describeHint({ problem: 'not_answered_in_time', option, detail: `${timeoutMs} ms` }, timeoutName)
}
