import type { JWK } from 'jose'
import type { JWKSMultipleMatchingKeys } from 'jose/errors'
import type { createLocalJWKSet } from 'jose/jwks/local'
import type { BrokerError } from '../../shared/errors.ts'
import { isJsonObject, parseJsonObject } from '../../shared/http/parse-json-object.ts'
import { isNestedDeeperThan } from '../../shared/is-nested-deeper-than.ts'
import { andThen, type MaybePromise } from '../../shared/maybe-promise.ts'
import type { JwsSignature, JwtHeader, UnverifiedJwt } from '../jwt/jwt.ts'
import { invalidJwt } from '../jwt/jwt-refusal.ts'
import { declaredKeyProblem, keyNumbersProblem } from './key-problem.ts'
import { VerificationKey } from './verification-key.ts'

/** Limit of keys tried for one JWT, when several share its `kid`. */
const maxKeysTried = 8
/** Limit of keys whose parameters are checked at load; further keys are checked at first use. */
const maxKeysExamined = 64
/** A key set has few levels: a list of keys with lists of certificates and operations. */
const maxDepth = 16

/** A key that is ignored (RFC 7517 section 5). */
export interface UnusableKey {
  /** Its id; `undefined` without one. */
  readonly kid: string | undefined
  /** The reason: `its type is not RSA or EC`. */
  readonly problem: string
}

/** A key that can verify JWTs. */
export interface UsableKey {
  /** Its id; `undefined` without one. */
  readonly kid: string | undefined
  /** Its declared algorithm (RFC 7517 section 4.4), else its type: `RSA`, `EC` or `OKP`. */
  readonly algorithm: string
}

/**
 * The public keys of an issuer at one moment. jose selects keys (type, curve, `alg`, `use`, `key_ops` must fit) and imports
 * them. Keys without a `kid` and keys with the same `kid` stay separate.
 */
export class KeySet {
  /** The keys that cannot verify any JWT. */
  readonly unusable: readonly UnusableKey[]
  readonly #keys: readonly JWK[]
  #select: ReturnType<typeof createLocalJWKSet> | undefined
  /** The keys selected before, by algorithm and id. */
  readonly #selected = new Map<string, VerificationKey>()

  private constructor(keys: readonly JWK[], unusable: readonly UnusableKey[]) {
    this.#keys = keys
    this.unusable = unusable
  }

  /**
   * Parses a JWK set; `undefined` when the text is not one (RFC 7517 section 5) or has no keys. A key is usable when it fits one of
   * the algorithms.
   */
  static parse(text: string, algorithms: readonly string[]): KeySet | undefined {
    const members = parseJsonObject(text)?.['keys']
    if (!Array.isArray(members) || isNestedDeeperThan(members, maxDepth)) return undefined
    const usable: JWK[] = []
    const unusable: UnusableKey[] = []
    let examined = 0
    for (const key of members) {
      if (!isJsonObject(key) || typeof key['kty'] !== 'string') continue
      const problem =
        declaredKeyProblem(key, algorithms) ??
        (examined++ < maxKeysExamined ? keyNumbersProblem(key) : undefined)
      if (problem === undefined) usable.push(key as JWK)
      else unusable.push({ kid: kidOf(key), problem })
    }
    return usable.length + unusable.length === 0 ? undefined : new KeySet(usable, unusable)
  }

  /** The number of usable keys. */
  get size(): number {
    return this.#keys.length
  }

  /** The keys that can verify JWTs; a new list per call. */
  get usable(): readonly UsableKey[] {
    return this.#keys.map(key => ({ kid: kidOf(key), algorithm: key.alg ?? key.kty ?? '' }))
  }

  /** The ids of keys, usable or not, that another key set lacks. */
  kidsMissingIn(other: KeySet): ReadonlySet<string> {
    return this.#kids().difference(other.#kids())
  }

  /** Tells whether the set has the `kid` of a JWT or, without a `kid`, whether a key could fit. */
  mayVerify({ alg, kid }: JwtHeader): boolean {
    if (kid !== undefined) return this.#keys.some(key => key.kid === kid)
    return this.#keys.some(key => key.alg === undefined || key.alg === alg)
  }

  /**
   * Verifies the signature, synchronously when the key was used before. A JWT without a `kid` passes only when exactly one key
   * fits.
   */
  verify(jwt: UnverifiedJwt): MaybePromise<void> {
    const { alg, kid } = jwt.header
    const key = kid === undefined ? undefined : this.#selected.get(selectionOf(alg, kid))
    return key === undefined ? this.#selectAndVerify(jwt) : andThen(key.hasSigned(jwt), assertSigned)
  }

  /** Waits for the import of the key. */
  async #selectAndVerify(jwt: UnverifiedJwt): Promise<void> {
    const selected = await this.#selectKey(jwt.header)
    const signed =
      selected instanceof VerificationKey
        ? selected.hasSigned(jwt)
        : isSignedByAny(selected, jwt.header.alg, jwt)
    assertSigned(await signed)
  }

  async #selectKey({ alg, kid }: JwtHeader): Promise<VerificationKey | JWKSMultipleMatchingKeys> {
    this.#select ??= await this.#loadSelect()
    let key: VerificationKey | undefined
    try {
      key = VerificationKey.of(await this.#select(kid === undefined ? { alg } : { alg, kid }), alg)
    } catch (error) {
      if (!matchesSeveral(error)) throw this.#noKeyFor({ alg, kid }, error)
      if (kid === undefined) throw invalidJwt('unknown_key', 'it has no kid, and several keys fit')
      return error
    }
    if (key === undefined) throw this.#noKeyFor({ alg, kid })
    if (kid !== undefined) this.#selected.set(selectionOf(alg, kid), key)
    return key
  }

  /** Loads jose with the first JWT: a service that only gets tokens needs none of it. */
  async #loadSelect(): Promise<ReturnType<typeof createLocalJWKSet>> {
    const { createLocalJWKSet } = await import('jose/jwks/local')
    return createLocalJWKSet({ keys: [...this.#keys] })
  }

  #noKeyFor({ alg, kid }: JwtHeader, cause?: unknown): BrokerError {
    const keys = this.#keys
    if (kid === undefined) return invalidJwt('unknown_key', `it has no kid, and no key is for ${alg}`, cause)
    const unusable = this.unusable.find(key => key.kid === kid)
    if (keys.some(key => key.kid === kid)) {
      const problem = codeOf(cause) === 'ERR_JWKS_NO_MATCHING_KEY' ? `is not for ${alg}` : 'cannot be used'
      return invalidJwt('unusable_key', `its key ${problem}`, cause)
    }
    if (unusable !== undefined) {
      return invalidJwt('unusable_key', `its key cannot be used: ${unusable.problem}`, cause)
    }
    const isNameless = keys.length > 0 && keys.every(key => key.kid === undefined)
    const problem = isNameless ? 'it has a kid, and the keys have none' : 'its kid is not in the key set'
    return invalidJwt('unknown_key', problem, cause)
  }

  #kids(): Set<string> {
    const kids = [...this.#keys, ...this.unusable].map(({ kid }) => kid)
    return new Set(kids.filter(kid => typeof kid === 'string'))
  }
}

function matchesSeveral(error: unknown): error is JWKSMultipleMatchingKeys {
  return codeOf(error) === 'ERR_JWKS_MULTIPLE_MATCHING_KEYS'
}

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | undefined)?.code
}

function assertSigned(signed: boolean): void {
  if (!signed) throw invalidJwt('signature', 'its signature does not match')
}

/** The name of an algorithm contains no space. */
function selectionOf(alg: string, kid: string): string {
  return `${alg} ${kid}`
}

/** JSON can have anything there; a `kid` is a string (RFC 7517 section 4.5). */
function kidOf({ kid }: { readonly kid?: unknown }): string | undefined {
  return typeof kid === 'string' ? kid : undefined
}

async function isSignedByAny(
  candidates: JWKSMultipleMatchingKeys,
  alg: string,
  jws: JwsSignature,
): Promise<boolean> {
  let tried = 0
  for await (const key of candidates) {
    if (++tried > maxKeysTried) break
    if (await VerificationKey.of(key, alg)?.hasSigned(jws)) return true
  }
  return false
}
