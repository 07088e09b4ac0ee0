import { createLocalJWKSet, errors, type JWK } from 'jose'
import { isJsonObject, parseJsonObject } from '../http/parse-json-object.ts'
import { isSignedBy } from './is-signed-by.ts'
import { invalidJwt, type JwtHeader } from './jwt.ts'

/** Keys that are tried at most for one JWT, when several share its `kid`. */
const maxKeysTried = 8

/**
 * The public keys of an issuer at one moment. jose selects (type, curve, `alg`, `use`, `key_ops` must fit) and
 * imports; keys without a `kid` and keys that share one are kept apart.
 */
export class KeySet {
  readonly #keys: readonly JWK[]
  readonly #select: ReturnType<typeof createLocalJWKSet>

  private constructor(keys: readonly JWK[]) {
    this.#keys = keys
    this.#select = createLocalJWKSet({ keys: [...keys] })
  }

  /** `undefined` when the text is no JWK set (RFC 7517 section 5) or an empty one. */
  static parse(text: string): KeySet | undefined {
    const keys = parseJsonObject(text)?.['keys']
    if (!Array.isArray(keys)) return undefined
    const wellFormed = keys.filter(key => isJsonObject(key) && typeof key['kty'] === 'string') as JWK[]
    return wellFormed.length === 0 ? undefined : new KeySet(wellFormed)
  }

  get size(): number {
    return this.#keys.length
  }

  /** The ids of keys that another key set does not have. */
  kidsMissingIn(other: KeySet): ReadonlySet<string> {
    return kidsOf(this.#keys).difference(kidsOf(other.#keys))
  }

  /** Whether the set has the key that a JWT names; for a JWT that names none, whether a key could fit. */
  mayVerify({ alg, kid }: JwtHeader): boolean {
    if (kid !== undefined) return this.#keys.some(key => key.kid === kid)
    return this.#keys.some(key => key.alg === undefined || key.alg === alg)
  }

  /** Verifies the signature. A JWT without `kid` passes only when exactly one key fits. */
  async verify(jwt: string, { alg, kid }: JwtHeader): Promise<void> {
    try {
      const key = await this.#select(kid === undefined ? { alg } : { alg, kid })
      if (await isSignedBy(jwt, alg, key)) return
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw invalidJwt('no key fits it', error)
      if (kid === undefined) throw invalidJwt('it names no key and several fit')
      if (await isSignedByAny(jwt, alg, error)) return
    }
    throw invalidJwt('no key verifies it')
  }
}

function kidsOf(keys: readonly JWK[]): Set<string> {
  return new Set(keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : [])))
}

async function isSignedByAny(
  jwt: string,
  alg: string,
  candidates: errors.JWKSMultipleMatchingKeys,
): Promise<boolean> {
  let tried = 0
  for await (const key of candidates) {
    if (++tried > maxKeysTried) break
    if (await isSignedBy(jwt, alg, key)) return true
  }
  return false
}
