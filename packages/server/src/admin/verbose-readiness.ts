import type { Config } from '../config/config.ts'

/** Limit of one examination, below the time that people wait for an answer. */
const timeoutMs = 15_000

/** Says in words what keeps the broker from being ready. Requests that arrive during an examination share it. */
export class VerboseReadiness {
  readonly #config: () => Config
  #pending: Promise<string> | undefined

  /** `config` returns the configuration in effect. */
  constructor(config: () => Config) {
    this.#config = config
  }

  text(): Promise<string> {
    this.#pending ??= this.#examine().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #examine(): Promise<string> {
    // Loaded only for people.
    const { missingText } = await import('../doctor/missing-text.ts')
    return missingText(this.#config(), timeoutMs)
  }
}
