/** What is wrong with one variable. */
export interface ConfigFault {
  readonly variable: string
  /** Reads on from the variable's name, and never holds a secret. */
  readonly problem: string
  /** An assignment that would be right: `HTTP_TIMEOUT=5s`. */
  readonly example: string
}

/** The environment cannot be used; lists every fault at once, one per line of the message. */
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
