import type { MaybePromise } from '../shared/maybe-promise.ts'
import type { Wait } from '../shared/wait-for.ts'
import type { AuthenticatedCaller } from './authenticated-caller.ts'
import { bearerJwt } from './bearer-jwt.ts'
import type { JwtClaims } from './jwt/jwt.ts'
import type { JwtVerifier } from './jwt/jwt-verifier.ts'
import type { JwtRefusals } from './jwt-refusals.ts'

/**
 * Authenticates callers by the value of a header. Fails with `invalid_token`, with `jwks_unavailable` without keys, or with
 * `overloaded`.
 */
export class Gate {
  readonly #verifier: JwtVerifier
  readonly #refusals: JwtRefusals

  constructor(verifier: JwtVerifier, refusals: JwtRefusals) {
    this.#verifier = verifier
    this.#refusals = refusals
  }

  authenticate(header: string, wait: Wait): MaybePromise<AuthenticatedCaller> {
    const token = this.#jwtIn(header)
    const claims = this.verify(token, wait)
    return claims instanceof Promise ? claims.then(later => callerOf(later, token)) : callerOf(claims, token)
  }

  /** Verifies a JWT without a prefix and returns its claims. */
  verify(jwt: string, wait: Wait): MaybePromise<JwtClaims> {
    try {
      const claims = this.#verifier.verify(jwt, wait)
      return claims instanceof Promise ? claims.catch(error => this.#refuse(error, jwt)) : claims
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

function callerOf(claims: JwtClaims, token: string): AuthenticatedCaller {
  return { issuer: 'default', subject: String(claims['sub'] ?? ''), groups: [], claims, token }
}
