import type { JWK } from 'jose'
import { JWKSMultipleMatchingKeys, JWKSNoMatchingKey } from 'jose/errors'
import { createLocalJWKSet } from 'jose/jwks/local'
import type { BrokerError } from '../../shared/errors.ts'
import { isJsonObject, parseJsonObject } from '../../shared/http/parse-json-object.ts'
import { isNestedDeeperThan } from '../../shared/is-nested-deeper-than.ts'
import { andThen, type MaybePromise } from '../../shared/maybe-promise.ts'
import type { JwsSignature, JwtHeader, UnverifiedJwt } from '../jwt/jwt.ts'
import { invalidJwt } from '../jwt/jwt-refusal.ts'
import { declaredKeyProblem, keyNumbersProblem } from './key-problem.ts'
import { VerificationKey } from './verification-key.ts'

/** Keys that are tried at most for one JWT, when several share its `kid`. */
const maxKeysTried = 8
/** Keys of a set whose numbers are looked at when it is loaded; those of a longer set as they are used. */
const maxKeysExamined = 64
/** A list of keys, whose certificates and operations are lists. */
const maxDepth = 16

/** A key of a set that is ignored (RFC 7517 section 5). */
export interface UnusableKey {
  readonly kid: string | undefined
  /** In words that follow its name. */
  readonly problem: string
}

/**
 * The public keys of an issuer at one moment. jose selects (type, curve, `alg`, `use`, `key_ops` must fit) and
 * imports; keys without a `kid` and keys that share one are kept apart.
 */
export class KeySet {
  /** The keys that cannot verify a JWT, whoever names them. */
  readonly unusable: readonly UnusableKey[]
  readonly #keys: readonly JWK[]
  readonly #select: ReturnType<typeof createLocalJWKSet>
  /** Those that were selected before, by algorithm and id. */
  readonly #selected = new Map<string, VerificationKey>()

  private constructor(keys: readonly JWK[], unusable: readonly UnusableKey[]) {
    this.#keys = keys
    this.unusable = unusable
    this.#select = createLocalJWKSet({ keys: [...keys] })
  }

  /** `undefined` when the text is no JWK set (RFC 7517 section 5) or an empty one. */
  static parse(text: string): KeySet | undefined {
    const members = parseJsonObject(text)?.['keys']
    if (!Array.isArray(members) || isNestedDeeperThan(members, maxDepth)) return undefined
    const usable: JWK[] = []
    const unusable: UnusableKey[] = []
    let examined = 0
    for (const key of members) {
      if (!isJsonObject(key) || typeof key['kty'] !== 'string') continue
      const problem =
        declaredKeyProblem(key) ?? (examined++ < maxKeysExamined ? keyNumbersProblem(key) : undefined)
      if (problem === undefined) usable.push(key as JWK)
      else unusable.push({ kid: kidOf(key), problem })
    }
    return usable.length + unusable.length === 0 ? undefined : new KeySet(usable, unusable)
  }

  /** The number of usable keys. */
  get size(): number {
    return this.#keys.length
  }

  /** The ids of keys, usable or not, that another key set does not have. */
  kidsMissingIn(other: KeySet): ReadonlySet<string> {
    return this.#kids().difference(other.#kids())
  }

  /** Whether the set has the key that a JWT names; for a JWT that names none, whether a key could fit. */
  mayVerify({ alg, kid }: JwtHeader): boolean {
    if (kid !== undefined) return this.#keys.some(key => key.kid === kid)
    return this.#keys.some(key => key.alg === undefined || key.alg === alg)
  }

  /**
   * Verifies the signature, without waiting when the key was used before. A JWT without `kid` passes only when exactly
   * one key fits.
   */
  verify(jwt: UnverifiedJwt): MaybePromise<void> {
    const { alg, kid } = jwt.header
    const key = kid === undefined ? undefined : this.#selected.get(selectionOf(alg, kid))
    return key === undefined ? this.#selectAndVerify(jwt) : andThen(key.hasSigned(jwt), assertSigned)
  }

  /** Selecting a key means to wait, because keys are imported. */
  async #selectAndVerify(jwt: UnverifiedJwt): Promise<void> {
    const selected = await this.#selectKey(jwt.header)
    const signed =
      selected instanceof VerificationKey
        ? selected.hasSigned(jwt)
        : isSignedByAny(selected, jwt.header.alg, jwt)
    assertSigned(await signed)
  }

  async #selectKey({ alg, kid }: JwtHeader): Promise<VerificationKey | JWKSMultipleMatchingKeys> {
    let key: VerificationKey | undefined
    try {
      key = VerificationKey.of(await this.#select(kid === undefined ? { alg } : { alg, kid }), alg)
    } catch (error) {
      if (!(error instanceof JWKSMultipleMatchingKeys)) throw this.#noKeyFor({ alg, kid }, error)
      if (kid === undefined) throw invalidJwt('unknown_key', 'it has no kid, and several keys fit')
      return error
    }
    if (key === undefined) throw this.#noKeyFor({ alg, kid })
    if (kid !== undefined) this.#selected.set(selectionOf(alg, kid), key)
    return key
  }

  #noKeyFor({ alg, kid }: JwtHeader, cause?: unknown): BrokerError {
    const keys = this.#keys
    if (kid === undefined) return invalidJwt('unknown_key', `it has no kid, and no key is for ${alg}`, cause)
    const unusable = this.unusable.find(key => key.kid === kid)
    if (keys.some(key => key.kid === kid)) {
      const problem = cause instanceof JWKSNoMatchingKey ? `is not for ${alg}` : 'cannot be used'
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

function assertSigned(signed: boolean): void {
  if (!signed) throw invalidJwt('signature', 'its signature does not match')
}

/** An algorithm has no space in it. */
function selectionOf(alg: string, kid: string): string {
  return `${alg} ${kid}`
}

function kidOf({ kid }: Record<string, unknown>): string | undefined {
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
