import { BrokerError } from '../../shared/errors.ts'
import type { JwtRefusalReason } from '../../shared/jwt-refusal-reason.ts'

/** The reason of a refusal, for log and metrics: the cause of an `invalid_token`. Contains no part of the JWT. */
export class JwtRefusal extends Error {
  override readonly name: string = 'JwtRefusal'
  readonly reason: JwtRefusalReason

  constructor(reason: JwtRefusalReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.reason = reason
  }
}

/** The error for every unacceptable JWT. Its cause has the reason, for the log. */
export function invalidJwt(
  reason: Exclude<JwtRefusalReason, 'missing'>,
  text: string,
  cause?: unknown,
): BrokerError {
  return new BrokerError('invalid_token', 'the JWT is not acceptable', {
    cause: new JwtRefusal(reason, text, cause),
  })
}

/** The error for a request without a JWT, which has a different challenge. */
export function missingJwt(): BrokerError {
  return new BrokerError('invalid_token', 'a JWT is required', {
    credentialsAbsent: true,
    cause: new JwtRefusal('missing', 'a JWT is required'),
  })
}
