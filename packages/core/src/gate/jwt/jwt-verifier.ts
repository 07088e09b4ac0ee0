import type { Clock } from '../../shared/clock.ts'
import type { BrokerError } from '../../shared/errors.ts'
import type { MaybePromise } from '../../shared/maybe-promise.ts'
import type { Wait } from '../../shared/wait-for.ts'
import type { CallersIssuer } from '../callers-issuer.ts'
import type { CallersIssuers } from '../callers-issuers.ts'
import type { KeySet } from '../keys/key-set.ts'
import { type RequiredClaims, refusalByRequiredClaims } from '../required-claims.ts'
import { type VerifiedCaller, verifiedCaller } from '../verified-caller.ts'
import { assertClaims, assertTimes } from './assert-claims.ts'
import { freezeClaims } from './freeze-claims.ts'
import { maxJwtLength, parseJwt, type UnverifiedJwt } from './jwt.ts'
import { invalidJwt, refusedBy } from './jwt-refusal.ts'
import type { VerifiedJwts } from './verified-jwts.ts'

export interface JwtVerifierOptions {
  readonly issuers: CallersIssuers
  readonly required: RequiredClaims
  readonly verified: VerifiedJwts
  readonly clock: Clock
}

/** A JWT whose issuer is selected. */
interface Candidate {
  readonly id: string
  readonly unverified: UnverifiedJwt
  readonly wait: Wait
}

/**
 * Verifies callers' JWTs and returns their callers. The claims are frozen, because the same JWT returns the same object.
 *
 * A JWT is verified by the issuer that it names and by no other.
 */
export class JwtVerifier {
  readonly #options: JwtVerifierOptions

  constructor(options: JwtVerifierOptions) {
    this.#options = options
  }

  get verified(): VerifiedJwts {
    return this.#options.verified
  }

  /**
   * Waits only for keys and issuers that are not loaded and for slow signatures. Checks form and claims before keys, so that
   * junk causes no request to the JWKS endpoint.
   */
  verify(jwt: string, wait: Wait): MaybePromise<VerifiedCaller> {
    // An oversized JWT is refused later; it needs no hash.
    const id = jwt.length > maxJwtLength ? '' : this.#options.verified.idOf(jwt)
    return this.#remembered(id) ?? this.#verify(jwt, id, wait)
  }

  #remembered(id: string): VerifiedCaller | undefined {
    const { verified, clock } = this.#options
    const found = verified.get(id)
    if (found === undefined) return undefined
    const { issuer, caller, refusal } = found
    try {
      assertTimes(caller.claims, issuer.rules.clockToleranceMs, clock.wall())
    } catch (error) {
      throw refusedBy(issuer, error)
    }
    if (refusal !== undefined) throw refusal
    return caller
  }

  #verify(jwt: string, id: string, wait: Wait): MaybePromise<VerifiedCaller> {
    const candidate = { id, unverified: parseJwt(jwt, this.#options.issuers.algorithms), wait }
    const issuer = this.#options.issuers.select(candidate.unverified.claims, wait)
    // Here and below no closure for what is known already, which is the usual case.
    return issuer instanceof Promise
      ? issuer.then(learned => this.#verifyBy(learned, candidate))
      : this.#verifyBy(issuer, candidate)
  }

  #verifyBy(issuer: CallersIssuer, candidate: Candidate): MaybePromise<VerifiedCaller> {
    try {
      const caller = this.#judge(issuer, candidate)
      return caller instanceof Promise
        ? caller.catch(error => Promise.reject(refusedBy(issuer, error)))
        : caller
    } catch (error) {
      throw refusedBy(issuer, error)
    }
  }

  #judge(issuer: CallersIssuer, candidate: Candidate): MaybePromise<VerifiedCaller> {
    const { unverified, wait } = candidate
    const { header, claims } = unverified
    const { keys, rules } = issuer
    if (!rules.algorithms.includes(header.alg)) {
      throw invalidJwt('algorithm', 'its alg is not allowed for its issuer')
    }
    assertClaims(claims, rules, this.#options.clock.wall())
    const keySet = keys.keySetFor(header, wait)
    return keySet instanceof Promise
      ? keySet.then(loaded => this.#verifyWith(loaded, issuer, candidate))
      : this.#verifyWith(keySet, issuer, candidate)
  }

  #verifyWith(keySet: KeySet, issuer: CallersIssuer, candidate: Candidate): MaybePromise<VerifiedCaller> {
    const verified = keySet.verify(candidate.unverified)
    return verified instanceof Promise
      ? verified.then(() => this.#accept(issuer, keySet, candidate))
      : this.#accept(issuer, keySet, candidate)
  }

  #accept(issuer: CallersIssuer, keySet: KeySet, { id, unverified }: Candidate): VerifiedCaller {
    const { required, verified } = this.#options
    freezeClaims(unverified.claims)
    const caller = verifiedCaller(issuer, unverified.claims)
    const refusal: BrokerError | undefined = refusalByRequiredClaims(caller, required)
    // Refused callers too: their signature is right, and its verification costs the same.
    verified.add(id, { issuer, keySet, caller, refusal })
    if (refusal !== undefined) throw refusal
    return caller
  }
}
