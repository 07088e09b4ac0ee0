/** The state of the secrets of a client when a request to Dex begins. */
export interface KnownSecrets {
  /** The secret that Dex accepted last; `undefined` once Dex has refused it as the previous one. */
  readonly accepted: string | undefined
  /** How often Dex had accepted the secret that was current then. */
  readonly acceptances: number
}

/**
 * Which secret of a client Dex accepted last. Requests overlap, and their answers arrive in any order, so each answer is judged by what
 * was known when its request began.
 */
export class AcceptedSecrets {
  #last: string | undefined
  #acceptances = 0
  #isPreviousRefused = false

  /** `undefined` until Dex has accepted one. */
  get last(): string | undefined {
    return this.#last
  }

  get known(): KnownSecrets {
    return { accepted: this.#isPreviousRefused ? undefined : this.#last, acceptances: this.#acceptances }
  }

  /** Another secret is current. */
  currentReplaced(): void {
    this.#isPreviousRefused = false
  }

  currentAccepted(secret: string): void {
    this.#acceptances++
    this.#note(secret)
  }

  /** Returns whether it is news: Dex may have answered before it accepted a newer secret in another request. */
  olderAccepted(secret: string, before: KnownSecrets): boolean {
    if (before.acceptances !== this.#acceptances) return false
    this.#note(secret)
    return true
  }

  /** Returns whether the secret in Dex may have changed during the request: Dex accepted this one when it began, or a current one since. */
  previousRefused(secret: string, before: KnownSecrets): boolean {
    const mayHaveChanged =
      secret === before.accepted || secret === this.known.accepted || before.acceptances !== this.#acceptances
    this.#isPreviousRefused = true
    return mayHaveChanged
  }

  #note(secret: string): void {
    this.#last = secret
    this.#isPreviousRefused = false
  }
}
