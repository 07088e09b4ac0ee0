import { BrokerError } from '../../shared/errors.ts'
import type { JwtRefusalReason } from '../../shared/jwt-refusal-reason.ts'

/** Why a JWT was refused, for the log and the metrics: the cause of an `invalid_token`. Holds nothing of the JWT. */
export class JwtRefusal extends Error {
  override readonly name: string = 'JwtRefusal'
  readonly reason: JwtRefusalReason

  constructor(reason: JwtRefusalReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.reason = reason
  }
}

/** The one answer to every unacceptable JWT; what was wrong with it goes to the log, as the cause. */
export function invalidJwt(
  reason: Exclude<JwtRefusalReason, 'missing'>,
  text: string,
  cause?: unknown,
): BrokerError {
  return new BrokerError('invalid_token', 'the JWT is not acceptable', {
    cause: new JwtRefusal(reason, text, cause),
  })
}

/** No JWT at all is told from a bad one, because the challenge differs. */
export function missingJwt(): BrokerError {
  return new BrokerError('invalid_token', 'a JWT is required', {
    credentialsAbsent: true,
    cause: new JwtRefusal('missing', 'a JWT is required'),
  })
}
