import type { KeySource } from '../gate/keys/key-source.ts'
import type { SigningKey } from '../tokens/signing-key.ts'
import type { TokenSource } from '../tokens/tokens.ts'

/** How often the key set is looked at while tokens are cached, as a part of its maximum age. */
const lookAgainRatio = 0.8
/** However short that is, in milliseconds. */
const minLookAgainMs = 1_000

/**
 * Finds cached tokens that no backend can verify any more, because Dex lost the key that signed them (a restart on
 * memory storage, while tokens live for a day). It joins two rooms that know nothing of each other.
 *
 * Only the issuer's own key set counts, and only a key that was seen in it and is gone: a key that was never seen there
 * proves nothing.
 */
export class DeadTokens {
  readonly #keySource: KeySource
  readonly #issuer: string
  readonly #tokens: TokenSource
  readonly #timer: NodeJS.Timeout

  constructor(keySource: KeySource, issuer: string, tokens: TokenSource, maxAgeMs: number) {
    this.#keySource = keySource
    this.#issuer = issuer
    this.#tokens = tokens
    keySource.onKeysGone = kids => tokens.dropSignedBy(issuer, kids)
    this.#timer = setInterval(
      () => this.#lookAgain(),
      Math.max(maxAgeMs * lookAgainRatio, minLookAgainMs),
    ).unref()
  }

  /** A new token may be signed by a key that is not in the key set yet; then the others may be gone from it. */
  signedBy({ issuer, kid }: SigningKey): void {
    if (issuer === this.#issuer) this.#keySource.lookFor(kid)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #lookAgain(): void {
    if (this.#tokens.hasCached) this.#keySource.refresh()
  }
}
