import { type BrokerError, TokenBroker, type TokenBrokerOptions } from '@broker/core'
import { networkFailureCode } from '@broker/core/diagnosis'
import { configuredBrokerOptions } from '../configured-broker-options.ts'
import { describeHint } from '../describe-hint.ts'
import type { DoctorContext } from './doctor-context.ts'

/** Makes a broker of the configuration, for the length of one check. `changes` replace its options. */
export function doctorBroker(
  { config, transports, userAgent }: DoctorContext,
  changes: Partial<TokenBrokerOptions> = {},
): TokenBroker {
  return new TokenBroker({
    ...configuredBrokerOptions(config, transports, transports.issuers),
    userAgent,
    ...changes,
  })
}

/** Words the error of a broker for the operator. `context` has the limit for a call that ended before its request did. */
export function brokerFailure(
  error: BrokerError,
  { timeoutMs, config }: Pick<DoctorContext, 'timeoutMs' | 'config'>,
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

/** Why the gate refuses a JWT, in words that follow "the JWT"; the message when the gate has no keys. */
export function refusalText(error: BrokerError): string {
  return error.cause instanceof Error && error.cause.name === 'JwtRefusal'
    ? error.cause.message
    : error.message
}
