/** A fault in one variable. */
export interface ConfigFault {
  readonly variable: string
  /** Continues a sentence that begins with the variable's name; never contains a secret. */
  readonly problem: string
  /** A valid assignment: `HTTP_TIMEOUT=5s`. */
  readonly example: string
}

/** An invalid environment. Lists every fault at once, one per line of the message. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly ConfigFault[]

  constructor(faults: readonly ConfigFault[]) {
    super(
      faults
        .map(({ variable, problem, example }) => `${variable}: ${problem}; example: ${example}`)
        .join('\n'),
    )
    this.faults = faults
  }
}
