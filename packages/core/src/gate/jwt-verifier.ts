import type { Clock } from '../clock.ts'
import type { Wait } from '../wait-for.ts'
import { assertClaims, assertTimes, type ClaimsRules } from './assert-claims.ts'
import { invalidJwt, type JwtClaims, maxJwtLength, parseJwt, type UnverifiedJwt } from './jwt.ts'
import type { KeySet } from './key-set.ts'
import type { KeySource } from './key-source.ts'
import type { VerifiedJwts } from './verified-jwts.ts'

export interface JwtVerifierOptions {
  readonly keys: KeySource
  readonly rules: ClaimsRules
  readonly verified: VerifiedJwts
  readonly clock: Clock
}

/** A caller's JWT in, its claims out; the claims are frozen, because a JWT that comes again gets the same ones. */
export class JwtVerifier {
  readonly #options: JwtVerifierOptions

  constructor(options: JwtVerifierOptions) {
    this.#options = options
  }

  /** The claims of a JWT when there is nothing to wait for: neither for keys, nor for a signature that takes long. */
  peek(jwt: string): JwtClaims | undefined {
    const { keys, verified } = this.#options
    const keySet = keys.current
    // An oversized one is not worth a hash.
    if (keySet === undefined || jwt.length > maxJwtLength) return undefined
    const id = verified.idOf(jwt)
    return this.#remembered(id, keySet) ?? this.#verifyNow(jwt, id, keySet)
  }

  /** Form and claims come before keys, so that junk causes no request to the JWKS endpoint. */
  async verify(jwt: string, wait: Wait): Promise<JwtClaims> {
    const claims = this.peek(jwt)
    if (claims !== undefined) return claims
    const { keys, verified } = this.#options
    const unverified = this.#acceptable(jwt)
    const keySet = await keys.keySetFor(unverified.header, wait)
    await keySet.verify(unverified)
    return this.#remember(verified.idOf(jwt), keySet, unverified.claims)
  }

  #remembered(id: string, keySet: KeySet): JwtClaims | undefined {
    const { rules, verified, clock } = this.#options
    const claims = verified.get(id, keySet)
    if (claims !== undefined) assertTimes(claims, rules.clockToleranceMs, clock.wall())
    return claims
  }

  #verifyNow(jwt: string, id: string, keySet: KeySet): JwtClaims | undefined {
    const unverified = this.#acceptable(jwt)
    const key = keySet.peekKey(unverified.header)
    if (!key?.isQuick) return undefined
    if (!key.hasSigned(unverified)) throw invalidJwt('no key verifies it')
    return this.#remember(id, keySet, unverified.claims)
  }

  #acceptable(jwt: string): UnverifiedJwt {
    const { rules, clock } = this.#options
    const unverified = parseJwt(jwt)
    assertClaims(unverified.claims, rules, clock.wall())
    return unverified
  }

  #remember(id: string, keySet: KeySet, claims: JwtClaims): JwtClaims {
    deepFreeze(claims)
    this.#options.verified.add(id, keySet, claims)
    return claims
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const member of Object.values(value)) deepFreeze(member)
  Object.freeze(value)
}
