import type { KeySource } from '../gate/keys/key-source.ts'
import { systemTimers } from '../shared/timers.ts'
import type { Tokens } from '../tokens/tokens.ts'

/** Interval of refreshes while tokens are cached, as a fraction of the maximum age. */
const lookAgainRatio = 0.8
/** The shortest interval, in milliseconds. */
const minLookAgainMs = 1_000

export interface DeadTokensOptions {
  /** The `iss` of the tokens that these keys sign. `undefined`: the `iss` of the last token of `source`. */
  readonly issuer: string | undefined
  /** The name of the issuer that these tokens come from. */
  readonly source: string
  readonly tokens: Tokens
  readonly keys: KeySource
}

/**
 * Drops cached tokens that backends can no longer verify, because Dex lost their signing key: for example after a restart
 * with memory storage, while tokens live for a day.
 *
 * Only the issuer's own key set counts, and only a key that was in it and is gone.
 */
export class DeadTokens {
  readonly #tokens: Tokens
  readonly #keys: KeySource
  readonly #subscriptions: readonly (() => void)[]
  #intervalMs = minLookAgainMs
  #timer: { cancel(): void } | undefined
  #isRetired = false

  /** Refreshes begin when the maximum age is set. */
  constructor({ issuer, source, tokens, keys }: DeadTokensOptions) {
    this.#tokens = tokens
    this.#keys = keys
    let signer = issuer
    this.#subscriptions = [
      keys.keysGone.subscribe(kids => {
        if (signer !== undefined) tokens.dropSignedBy(signer, kids)
      }),
      // A token with an unknown key can mean that Dex lost the old keys: refresh the key set.
      tokens.signedWith.subscribe(key => {
        if (issuer === undefined && key.source === source) signer = key.issuer
        if (key.issuer === signer) keys.lookFor(key.kid)
      }),
    ]
  }

  /** Sets the maximum age of the key set, in milliseconds. */
  set maxAgeMs(maxAgeMs: number) {
    const intervalMs = Math.max(maxAgeMs * lookAgainRatio, minLookAgainMs)
    if (intervalMs === this.#intervalMs && this.#timer !== undefined) return
    this.#intervalMs = intervalMs
    // By the age of the set, which can be older than this object.
    this.#lookIn(Math.max(intervalMs - this.#keys.ageMs, 0))
  }

  /** Ends the refreshes and the subscriptions. */
  retire(): void {
    this.#isRetired = true
    this.#timer?.cancel()
    for (const end of this.#subscriptions) end()
  }

  #lookIn(delayMs: number): void {
    this.#timer?.cancel()
    if (!this.#isRetired) this.#timer = systemTimers.background(() => void this.#look(), delayMs)
  }

  /** A Dex that restarts is unavailable first: a look that failed is repeated after its pause, not an interval later. */
  async #look(): Promise<void> {
    const pauseMs = this.#tokens.hasCached ? await this.#keys.renew() : 0
    this.#lookIn(pauseMs > 0 ? Math.min(pauseMs, this.#intervalMs) : this.#intervalMs)
  }
}
