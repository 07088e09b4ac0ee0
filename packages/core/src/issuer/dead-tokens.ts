import type { KeySource } from '../gate/keys/key-source.ts'
import type { Tokens } from '../tokens/tokens.ts'

/** How often the key set is looked at while tokens are cached, as a part of its maximum age. */
const lookAgainRatio = 0.8
/** However short that is, in milliseconds. */
const minLookAgainMs = 1_000

export interface DeadTokensOptions {
  /** The `iss` of the tokens that these keys sign. `undefined`: of all tokens, which then name it themselves. */
  readonly issuer: string | undefined
  readonly tokens: Tokens
  readonly keys: KeySource
  /** How old the key set may become, in milliseconds. */
  readonly maxAgeMs: number
}

/**
 * Finds cached tokens that no backend can verify any more, because Dex lost the key that signed them (a restart on
 * memory storage, while tokens live for a day). It joins two rooms that know nothing of each other.
 *
 * Only the issuer's own key set counts, and only a key that was seen in it and is gone: a key that was never seen there
 * proves nothing.
 */
export class DeadTokens {
  readonly #timer: NodeJS.Timeout

  constructor({ issuer, tokens, keys, maxAgeMs }: DeadTokensOptions) {
    let signer = issuer
    keys.keysGone.subscribe(kids => {
      if (signer !== undefined) tokens.dropSignedBy(signer, kids)
    })
    // A new token may be signed by a key that is not in the key set yet; then the others may be gone from it.
    tokens.signedWith.subscribe(key => {
      if (issuer === undefined) signer = key.issuer
      if (key.issuer === signer) keys.lookFor(key.kid)
    })
    const lookAgain = () => {
      if (tokens.hasCached) keys.refresh()
    }
    this.#timer = setInterval(lookAgain, Math.max(maxAgeMs * lookAgainRatio, minLookAgainMs)).unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
