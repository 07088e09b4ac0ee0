import { logContext } from '../shared/log-context.ts'
import type { MaybePromise } from '../shared/maybe-promise.ts'
import type { Subject } from '../shared/subject.ts'
import type { Wait } from '../shared/wait-for.ts'
import type { AuthenticatedCaller } from './authenticated-caller.ts'
import { bearerJwt } from './bearer-jwt.ts'
import type { JwtVerifier } from './jwt/jwt-verifier.ts'
import { subjectOf } from './jwt/subject-of.ts'
import type { VerifiedJwts } from './jwt/verified-jwts.ts'
import type { JwtRefusals } from './jwt-refusals.ts'
import type { VerifiedCaller } from './verified-caller.ts'

/**
 * Authenticates callers by the value of a header. Fails with `invalid_token`, with `forbidden` when the caller lacks a required
 * group or scope, with `jwks_unavailable` without keys, or with `overloaded`.
 */
export class Gate {
  readonly #verifier: JwtVerifier
  readonly #refusals: JwtRefusals

  constructor(verifier: JwtVerifier, refusals: JwtRefusals) {
    this.#verifier = verifier
    this.#refusals = refusals
  }

  /** The JWTs that are remembered as verified. */
  get verified(): Pick<VerifiedJwts, 'status'> {
    return this.#verifier.verified
  }

  authenticate(header: string, wait: Wait): MaybePromise<AuthenticatedCaller> {
    return this.verify(this.#jwtIn(header), wait)
  }

  /** Verifies a JWT without a prefix and returns its caller. */
  verify(jwt: string, wait: Wait): MaybePromise<AuthenticatedCaller> {
    try {
      const caller = this.#verifier.verify(jwt, wait)
      return caller instanceof Promise ? this.#verifyForCheck(caller, jwt) : callerOf(caller, jwt)
    } catch (error) {
      return this.#refuse(error, jwt)
    }
  }

  /** Reads the subject of a token exchange from a caller's JWT. Throws `invalid_token` for a JWT that cannot be one. */
  subjectOf({ token, claims }: AuthenticatedCaller, nowMs: number): Subject {
    try {
      return subjectOf(token, claims, nowMs)
    } catch (error) {
      return this.#refuse(error, token)
    }
  }

  // Methods, because a closure in `verify` would cost every call.
  #verifyForCheck(caller: Promise<VerifiedCaller>, jwt: string): Promise<AuthenticatedCaller> {
    return logContext.carry(() => this.#verifyLater(caller, jwt))
  }

  async #verifyLater(caller: Promise<VerifiedCaller>, jwt: string): Promise<AuthenticatedCaller> {
    try {
      return callerOf(await caller, jwt)
    } catch (error) {
      return this.#refuse(error, jwt)
    }
  }

  #jwtIn(header: string): string {
    try {
      return bearerJwt(header)
    } catch (error) {
      return this.#refuse(error, '')
    }
  }

  #refuse(error: unknown, jwt: string): never {
    this.#refusals.note(error, jwt)
    throw error
  }
}

function callerOf(
  { issuer, subject, groups, clientId, claims }: VerifiedCaller,
  token: string,
): AuthenticatedCaller {
  return { issuer, subject, groups, clientId, claims, token }
}
