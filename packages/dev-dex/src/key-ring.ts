import type { JWK } from 'jose'
import { generateSigningKey, type SigningAlgorithm, type SigningKey } from './signing-key.ts'

/** The issuer's signing keys: the one that signs, and old ones that are still published. */
export class KeyRing {
  #current: SigningKey
  #old: SigningKey[] = []
  #advertisedAlgorithm: SigningAlgorithm

  private constructor(current: SigningKey) {
    this.#current = current
    this.#advertisedAlgorithm = current.algorithm
  }

  static async create(algorithm: SigningAlgorithm): Promise<KeyRing> {
    return new KeyRing(await generateSigningKey(algorithm))
  }

  get current(): SigningKey {
    return this.#current
  }

  /** Dex computes its discovery document once, so a rotation to another algorithm leaves it stale. */
  get advertisedAlgorithm(): SigningAlgorithm {
    return this.#advertisedAlgorithm
  }

  /** All published keys, the current one first. */
  get published(): readonly SigningKey[] {
    return [this.#current, ...this.#old]
  }

  get jwks(): { keys: JWK[] } {
    return { keys: this.published.map(key => key.jwk) }
  }

  /** A new key signs at once, without having been published before; the former one stays published. */
  async rotate(algorithm: SigningAlgorithm = this.#current.algorithm): Promise<void> {
    const next = await generateSigningKey(algorithm)
    this.#old.unshift(this.#current)
    this.#current = next
  }

  /** Forgets every key and starts with a new one, as Dex on memory storage does. */
  async restart(algorithm: SigningAlgorithm = this.#current.algorithm): Promise<void> {
    this.#current = await generateSigningKey(algorithm)
    this.#old = []
    this.#advertisedAlgorithm = algorithm
  }

  /** Withdraws one old key, or all of them; the current key cannot be withdrawn. */
  retire(kid?: string): void {
    if (kid === this.#current.kid) throw new Error('the current key cannot be retired: rotate first')
    this.#old = kid === undefined ? [] : this.#old.filter(key => key.kid !== kid)
  }
}
