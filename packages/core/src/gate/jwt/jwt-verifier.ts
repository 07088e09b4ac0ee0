import type { Clock } from '../../shared/clock.ts'
import { andThen, type MaybePromise } from '../../shared/maybe-promise.ts'
import type { Wait } from '../../shared/wait-for.ts'
import type { KeySet } from '../keys/key-set.ts'
import type { KeySource } from '../keys/key-source.ts'
import { assertClaims, assertTimes, type ClaimsRules } from './assert-claims.ts'
import { freezeClaims } from './freeze-claims.ts'
import { type JwtClaims, maxJwtLength, parseJwt, type UnverifiedJwt } from './jwt.ts'
import type { VerifiedJwts } from './verified-jwts.ts'

export interface JwtVerifierOptions {
  readonly keys: KeySource
  readonly rules: ClaimsRules
  readonly verified: VerifiedJwts
  readonly clock: Clock
}

/** Verifies callers' JWTs and returns their claims. The claims are frozen, because the same JWT returns the same object. */
export class JwtVerifier {
  readonly #options: JwtVerifierOptions

  constructor(options: JwtVerifierOptions) {
    this.#options = options
  }

  /**
   * Waits only for keys that are not loaded and for slow signatures. Checks form and claims before keys, so that junk causes
   * no request to the JWKS endpoint.
   */
  verify(jwt: string, wait: Wait): MaybePromise<JwtClaims> {
    // An oversized JWT is refused later; it needs no hash.
    const id = jwt.length > maxJwtLength ? '' : this.#options.verified.idOf(jwt)
    return this.#remembered(id) ?? this.#verify(jwt, id, wait)
  }

  #verify(jwt: string, id: string, wait: Wait): MaybePromise<JwtClaims> {
    const unverified = this.#acceptable(jwt)
    return andThen(this.#options.keys.keySetFor(unverified.header, wait), keySet =>
      andThen(keySet.verify(unverified), () => this.#remember(id, keySet, unverified.claims)),
    )
  }

  #remembered(id: string): JwtClaims | undefined {
    const { keys, rules, verified, clock } = this.#options
    const keySet = keys.current()
    const claims = keySet && verified.get(id, keySet)
    if (claims !== undefined) assertTimes(claims, rules.clockToleranceMs, clock.wall())
    return claims
  }

  #acceptable(jwt: string): UnverifiedJwt {
    const { rules, clock } = this.#options
    const unverified = parseJwt(jwt)
    assertClaims(unverified.claims, rules, clock.wall())
    return unverified
  }

  #remember(id: string, keySet: KeySet, claims: JwtClaims): JwtClaims {
    freezeClaims(claims)
    this.#options.verified.add(id, keySet, claims)
    return claims
  }
}
