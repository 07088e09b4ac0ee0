import { BrokerError } from '../shared/errors.ts'
import type { Hint } from '../shared/hint.ts'
import type { JwtRefusalReason } from '../shared/jwt-refusal-reason.ts'
import { loggedRefusal } from '../shared/logged-refusals.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { CallersIssuer } from './callers-issuer.ts'
import type { CallersIssuers } from './callers-issuers.ts'
import { describeJwt } from './jwt/describe-jwt.ts'
import { maxJwtLength } from './jwt/jwt.ts'
import { JwtRefusal } from './jwt/jwt-refusal.ts'
import { timeHint } from './time-hint.ts'

export interface JwtRefusalsOptions {
  readonly issuers: CallersIssuers
  /** The option with the expected values of `iss`, for hints. */
  readonly issuerOption: 'gate.issuer' | 'issuers'
  /** The header that carries the JWT. */
  readonly header: string
}

const floodHint =
  'limit the rate of requests in front of the broker: more JWTs wait for their verification than it can verify'

/** Reports refused JWTs: each one to the observer, and samples to the log, by reason and issuer. */
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
      loggedRefusal(error)
      sampler.note('signatures_overloaded', count =>
        logger.warn({ count, hint: floodHint }, 'JWT verification refused: too many signatures'),
      )
    }
    if (!(refusal instanceof JwtRefusal)) return
    loggedRefusal(error)
    const { reason, message } = refusal
    observe({ type: 'jwt_refusal', reason })
    logger.debug({ reason, why: message }, 'JWT refused')
    // Kept for ten seconds at most, and never a long text.
    const held = jwt.length > maxJwtLength ? '' : jwt
    sampler.note(`jwt_refusal ${reason} ${refusal.issuer}`, count => this.#warn(refusal, held, count))
  }

  #warn({ reason, message, issuer: name }: JwtRefusal, jwt: string, count: number): void {
    const { logger, clock, describeHint } = this.#surroundings
    const { issuers, header } = this.#options
    if (reason === 'missing') {
      const hint = describeHint({ problem: 'jwt_absent', option: 'gate.jwtHeader', detail: header })
      logger.warn({ reason, count, header, hint }, 'requests without a JWT refused')
      return
    }
    const issuer = issuers.named(name)
    const description = describeJwt(jwt, clock.wall())
    const isOutsideItsTime = reason === 'expired' || reason === 'not_yet_valid'
    const hint = isOutsideItsTime ? issuer && timeHint(description, issuer) : this.#hintFor(reason, issuer)
    const { expected } = issuers
    const fields = {
      reason,
      why: message,
      issuer: issuer?.shownAs,
      count,
      ...description,
      ...(isOutsideItsTime && { clockSkewSeconds: secondsOf(issuer?.clockSkew.status?.skewMs) }),
      ...(reason === 'issuer' && { expectedIss: expected.length === 1 ? expected[0] : expected }),
      ...(reason === 'audience' && { expectedAud: issuer?.rules.audiences }),
      hint: hint && describeHint(hint),
    }
    logger.warn(fields, 'JWTs refused')
  }

  /** A hint where a setting or a clock of the operator can be the cause. */
  #hintFor(reason: JwtRefusalReason, issuer: CallersIssuer | undefined): Hint | undefined {
    if (reason === 'issuer') return { problem: 'jwt_of_other_issuer', option: this.#options.issuerOption }
    if (reason === 'group') return { problem: 'caller_lacks_group', option: 'gate.requiredGroups' }
    if (reason === 'scope') return { problem: 'jwt_lacks_scope', option: 'gate.requiredScopes' }
    if (issuer === undefined) return undefined
    const { paths, keys } = issuer
    if (reason === 'audience') return { problem: 'jwt_for_other_audience', option: paths.audiences }
    return reason === 'unknown_key' ? { problem: 'jwt_key_not_in_key_set', option: keys.option } : undefined
  }
}

function secondsOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}
