import { BrokerError } from '../../shared/errors.ts'
import type { JwtRefusalReason } from '../../shared/jwt-refusal-reason.ts'

/** The caller of a JWT whose signature is verified. */
export interface ProvenCaller {
  /** The name of the issuer. */
  readonly issuer: string
  /** The claim `sub`; empty when the JWT has none. */
  readonly subject: string
}

/**
 * The reason of a refusal, for log and metrics: the cause of an `invalid_token` or a `forbidden`. Contains no part of the JWT.
 */
export class JwtRefusal extends Error {
  override readonly name: string = 'JwtRefusal'
  readonly reason: JwtRefusalReason
  /** The name of the issuer that refused the JWT; `undefined` before one is selected. */
  issuer: string | undefined
  /** Private, because logs show the other members of an error. */
  #caller: ProvenCaller | undefined

  constructor(reason: JwtRefusalReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.reason = reason
  }

  /** The caller whom the JWT proves, although it is refused. */
  get caller(): ProvenCaller | undefined {
    return this.#caller
  }

  /** Notes the caller of a JWT whose signature is verified. */
  of(caller: ProvenCaller): this {
    this.#caller = caller
    return this
  }
}

/** The error for every unacceptable JWT. Its cause has the reason, for the log. */
export function invalidJwt(
  reason: Exclude<JwtRefusalReason, 'missing' | 'group' | 'scope'>,
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

/** Notes in an error which issuer refused the JWT, and returns it. Other errors stay as they are. */
export function refusedBy({ name }: { readonly name: string }, error: unknown): unknown {
  if (BrokerError.is(error) && error.cause instanceof JwtRefusal) error.cause.issuer = name
  return error
}
