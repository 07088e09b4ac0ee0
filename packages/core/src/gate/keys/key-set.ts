import { createLocalJWKSet, errors, type JWK } from 'jose'
import { isJsonObject, parseJsonObject } from '../../shared/http/parse-json-object.ts'
import { andThen, type MaybePromise } from '../../shared/maybe-promise.ts'
import { invalidJwt, type JwsSignature, type JwtHeader, type UnverifiedJwt } from '../jwt/jwt.ts'
import { VerificationKey } from './verification-key.ts'

/** Keys that are tried at most for one JWT, when several share its `kid`. */
const maxKeysTried = 8

/**
 * The public keys of an issuer at one moment. jose selects (type, curve, `alg`, `use`, `key_ops` must fit) and
 * imports; keys without a `kid` and keys that share one are kept apart.
 */
export class KeySet {
  readonly #keys: readonly JWK[]
  readonly #select: ReturnType<typeof createLocalJWKSet>
  /** Those that were selected before, by algorithm and id. */
  readonly #selected = new Map<string, VerificationKey>()

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
    const { alg, kid } = jwt.header
    let signed = false
    try {
      const key = await this.#selectKey(jwt.header)
      signed = (await key?.hasSigned(jwt)) ?? false
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw invalidJwt('no key fits it', error)
      if (kid === undefined) throw invalidJwt('it names no key and several fit')
      signed = await isSignedByAny(error, alg, jwt)
    }
    assertSigned(signed)
  }

  async #selectKey({ alg, kid }: JwtHeader): Promise<VerificationKey | undefined> {
    const key = VerificationKey.of(await this.#select(kid === undefined ? { alg } : { alg, kid }), alg)
    if (key !== undefined && kid !== undefined) this.#selected.set(selectionOf(alg, kid), key)
    return key
  }
}

function assertSigned(signed: boolean): void {
  if (!signed) throw invalidJwt('no key verifies it')
}

/** An algorithm has no space in it. */
function selectionOf(alg: string, kid: string): string {
  return `${alg} ${kid}`
}

function kidsOf(keys: readonly JWK[]): Set<string> {
  return new Set(keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : [])))
}

async function isSignedByAny(
  candidates: errors.JWKSMultipleMatchingKeys,
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
