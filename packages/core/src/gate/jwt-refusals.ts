import { BrokerError } from '../shared/errors.ts'
import type { Hint } from '../shared/hint.ts'
import type { JwtRefusalReason } from '../shared/jwt-refusal-reason.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import { describeJwt } from './jwt/describe-jwt.ts'
import { maxJwtLength } from './jwt/jwt.ts'
import { JwtRefusal } from './jwt/jwt-refusal.ts'

export interface JwtRefusalsOptions {
  readonly expectedIssuer: string | undefined
  readonly expectedAudiences: readonly string[]
  /** The header that carries the JWT. */
  readonly header: string
  /** The option that holds the URL of the key set, for hints. */
  readonly keysOption: string
}

/** Reports refused JWTs: each one to the observer, and samples to the log, by reason. */
export class JwtRefusals {
  readonly #surroundings: Surroundings
  readonly #options: JwtRefusalsOptions

  constructor(surroundings: Surroundings, options: JwtRefusalsOptions) {
    this.#surroundings = surroundings
    this.#options = options
  }

  /** Notes a refusal. The key source logs its own failures. */
  note(error: unknown, jwt: string): void {
    const { observe, logger, sampler } = this.#surroundings
    if (!BrokerError.is(error)) return
    const { code, cause: refusal } = error
    if (code === 'overloaded') {
      sampler.note('signatures_overloaded', count =>
        logger.warn({ count }, 'JWT verification refused: too many signatures'),
      )
    }
    if (!(refusal instanceof JwtRefusal)) return
    const { reason, message } = refusal
    observe({ type: 'jwt_refusal', reason })
    logger.debug({ reason, why: message }, 'JWT refused')
    // Kept for ten seconds at most, and never a long text.
    const held = jwt.length > maxJwtLength ? '' : jwt
    sampler.note(`jwt_refusal ${reason}`, count => this.#warn(refusal, held, count))
  }

  #warn({ reason, message }: JwtRefusal, jwt: string, count: number): void {
    const { logger, clock, describeHint } = this.#surroundings
    const { header, expectedIssuer, expectedAudiences, keysOption } = this.#options
    if (reason === 'missing') {
      const hint = describeHint({ problem: 'jwt_absent', option: 'gate.jwtHeader', detail: header })
      logger.warn({ reason, count, header, hint }, 'requests without a JWT refused')
      return
    }
    const hint = hintFor(reason, keysOption)
    const fields = {
      reason,
      why: message,
      count,
      ...describeJwt(jwt, clock.wall()),
      ...(reason === 'issuer' && { expectedIss: expectedIssuer }),
      ...(reason === 'audience' && { expectedAud: expectedAudiences }),
      hint: hint && describeHint(hint),
    }
    logger.warn(fields, 'JWTs refused')
  }
}

/** A hint where a setting or a clock of the operator can be the cause. */
function hintFor(reason: JwtRefusalReason, keysOption: string): Hint | undefined {
  if (reason === 'issuer') return { problem: 'jwt_of_other_issuer', option: 'gate.issuer' }
  if (reason === 'audience') return { problem: 'jwt_for_other_audience', option: 'gate.audience' }
  if (reason === 'expired' || reason === 'not_yet_valid') {
    return { problem: 'jwt_outside_its_time', option: 'gate.clockToleranceMs' }
  }
  return reason === 'unknown_key' ? { problem: 'jwt_key_not_in_key_set', option: keysOption } : undefined
}
