import type { Clock } from '../clock.ts'
import type { Wait } from '../wait-for.ts'
import { assertClaims, assertTimes, type ClaimsRules } from './assert-claims.ts'
import { type JwtClaims, maxJwtLength, parseJwt } from './jwt.ts'
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

  /** The claims of a JWT whose signature is known to be good; `undefined` when it has to be verified. */
  peek(jwt: string): JwtClaims | undefined {
    const { keys, rules, verified, clock } = this.#options
    const keySet = jwt.length > maxJwtLength ? undefined : keys.current
    const claims = keySet && verified.get(jwt, keySet)
    if (claims !== undefined) assertTimes(claims, rules.clockToleranceMs, clock.wall())
    return claims
  }

  /** Form and claims come before keys, so that junk causes no request to the JWKS endpoint. */
  async verify(jwt: string, wait: Wait): Promise<JwtClaims> {
    const known = this.peek(jwt)
    if (known !== undefined) return known
    const { keys, rules, verified, clock } = this.#options
    const { header, claims } = parseJwt(jwt)
    assertClaims(claims, rules, clock.wall())
    const keySet = await keys.keySetFor(header, wait)
    await keySet.verify(jwt, header)
    deepFreeze(claims)
    verified.add(jwt, keySet, claims)
    return claims
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const member of Object.values(value)) deepFreeze(member)
  Object.freeze(value)
}
