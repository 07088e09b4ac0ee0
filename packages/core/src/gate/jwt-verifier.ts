import type { Clock } from '../clock.ts'
import type { Wait } from '../wait-for.ts'
import { assertClaims, type ClaimsRules } from './assert-claims.ts'
import { type JwtClaims, parseJwt } from './jwt.ts'
import type { KeySource } from './key-source.ts'

/** A caller's JWT in, its claims out. */
export class JwtVerifier {
  readonly #keys: KeySource
  readonly #rules: ClaimsRules
  readonly #clock: Clock

  constructor(keys: KeySource, rules: ClaimsRules, clock: Clock) {
    this.#keys = keys
    this.#rules = rules
    this.#clock = clock
  }

  /** Form and claims come before keys, so that junk causes no request to the JWKS endpoint. */
  async verify(jwt: string, wait: Wait): Promise<JwtClaims> {
    const { header, claims } = parseJwt(jwt)
    assertClaims(claims, this.#rules, this.#clock.wall())
    const keySet = await this.#keys.keySetFor(header, wait)
    await keySet.verify(jwt, header)
    return claims
  }
}
