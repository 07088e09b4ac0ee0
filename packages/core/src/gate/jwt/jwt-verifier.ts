import type { Clock } from '../../shared/clock.ts'
import type { Wait } from '../../shared/wait-for.ts'
import type { KeySet } from '../keys/key-set.ts'
import type { KeySource } from '../keys/key-source.ts'
import { assertClaims, assertTimes, type ClaimsRules } from './assert-claims.ts'
import { invalidJwt, type JwtClaims, maxJwtLength, parseJwt, type UnverifiedJwt } from './jwt.ts'
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
    const id = this.#idOf(jwt)
    return this.#remembered(id) ?? this.#verifyNow(jwt, id)
  }

  /** Form and claims come before keys, so that junk causes no request to the JWKS endpoint. */
  async verify(jwt: string, wait: Wait): Promise<JwtClaims> {
    const id = this.#idOf(jwt)
    const claims = this.#remembered(id)
    if (claims !== undefined) return claims
    const unverified = this.#acceptable(jwt)
    const keySet = await this.#options.keys.keySetFor(unverified.header, wait)
    await keySet.verify(unverified)
    return this.#remember(id, keySet, unverified.claims)
  }

  /** An oversized one is refused anyway, and not worth a hash. */
  #idOf(jwt: string): string {
    return jwt.length > maxJwtLength ? '' : this.#options.verified.idOf(jwt)
  }

  #remembered(id: string): JwtClaims | undefined {
    const { keys, rules, verified, clock } = this.#options
    const keySet = keys.current
    const claims = keySet && verified.get(id, keySet)
    if (claims !== undefined) assertTimes(claims, rules.clockToleranceMs, clock.wall())
    return claims
  }

  #verifyNow(jwt: string, id: string): JwtClaims | undefined {
    const keySet = this.#options.keys.current
    if (keySet === undefined) return undefined
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
