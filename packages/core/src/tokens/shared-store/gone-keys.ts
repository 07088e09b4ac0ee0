import { boundedMap } from '../../shared/bounded-map.ts'
import { nameOfKey, type SigningKey, signingKeyOf } from '../signing-key.ts'

/** Limit of remembered keys; the least recently used is evicted. */
const maxKeys = 1_024

/** The signing keys that an issuer lost: no backend accepts their tokens, wherever these come from. */
export class GoneKeys {
  readonly #keys = boundedMap<true>(maxKeys)

  add(issuer: string, kids: Iterable<string>): void {
    for (const kid of kids) this.#keys.set(nameOfKey({ issuer, kid }), true)
  }

  has(key: SigningKey | undefined): boolean {
    return key !== undefined && this.#keys.has(nameOfKey(key))
  }

  /** Notes that the issuer signs with the key of a token: the look at its key set was wrong, or the key is back. */
  signedWithKeyOf(accessToken: string): void {
    if (this.#keys.size === 0) return
    const key = signingKeyOf(accessToken)
    if (key !== undefined) this.#keys.delete(nameOfKey(key))
  }
}
