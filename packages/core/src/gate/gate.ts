import type { MaybePromise } from '../shared/maybe-promise.ts'
import type { Wait } from '../shared/wait-for.ts'
import type { AuthenticatedCaller } from './authenticated-caller.ts'
import { bearerJwt } from './bearer-jwt.ts'
import type { JwtClaims } from './jwt/jwt.ts'
import type { JwtVerifier } from './jwt/jwt-verifier.ts'

/** A header's value in, an authenticated caller out; else `invalid_token`, or `jwks_unavailable` without keys. */
export class Gate {
  readonly verifier: JwtVerifier

  constructor(verifier: JwtVerifier) {
    this.verifier = verifier
  }

  authenticate(header: string, wait: Wait): MaybePromise<AuthenticatedCaller> {
    const token = bearerJwt(header)
    const claims = this.verifier.verify(token, wait)
    return claims instanceof Promise ? callerOf(claims, token) : { claims, token }
  }
}

async function callerOf(claims: Promise<JwtClaims>, token: string): Promise<AuthenticatedCaller> {
  return { claims: await claims, token }
}
