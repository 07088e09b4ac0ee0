/** A fault in one variable. */
export interface VariableFault {
  /** The name of the environment variable. */
  readonly variable: string
  /** Continues a sentence that begins with the variable's name; never contains a secret. */
  readonly problem: string
  /** A valid assignment: `HTTP_TIMEOUT=5s`. */
  readonly example: string
}

/** A fault in the configuration file. */
export interface FileFault {
  /** The path of the file, as in CONFIG_FILE. */
  readonly file: string
  /** Counts from 1. */
  readonly line: number
  /** Counts from 1. */
  readonly column: number
  /** The key at fault, from the top of the file: `clients[1].clientSecret`. Empty for the file as a whole. */
  readonly key: string
  /** Continues a sentence that begins with the key; never contains a secret. */
  readonly problem: string
  /** A valid entry: `clientSecret: { file: /run/secrets/reports }`. Absent when none helps. */
  readonly example?: string
}

/** A fault in the configuration. */
export type ConfigFault = VariableFault | FileFault

/** An invalid configuration. Lists every fault at once, one per line of the message. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  /** All faults, in the order of the message. */
  readonly faults: readonly ConfigFault[]

  /** Makes the message of the faults, one a line. */
  constructor(faults: readonly ConfigFault[]) {
    super(faults.map(faultText).join('\n'))
    this.faults = faults
  }
}

/** A fault as one line, with its place. */
export function faultText(fault: ConfigFault): string {
  const { problem, example } = fault
  const place =
    'variable' in fault
      ? fault.variable
      : `${fault.file}:${fault.line}:${fault.column}${fault.key === '' ? '' : `: ${fault.key}`}`
  return `${place}: ${problem}${example === undefined ? '' : `; example: ${example}`}`
}
