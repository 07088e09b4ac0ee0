/** An option of a command: for `parseArgs`, for `--help` and for completions. */
export interface OptionDescription {
  readonly type: 'boolean' | 'string'
  readonly short?: string
  readonly multiple?: boolean
  readonly default?: string
  /** The name of its value, in capitals. A value that is called FILE completes to a path. */
  readonly value?: string
  /** The values that it takes. Default: any. */
  readonly choices?: readonly string[]
  /** The effect, without a full stop. */
  readonly text: string
}

export type OptionDescriptions = Readonly<Record<string, OptionDescription>>

/** A value of a command that has no option before it. */
export interface ArgumentDescription {
  readonly name: string
  readonly choices: readonly string[]
}

/** A command of a program: all that its parser, its `--help` and the completions of shells need. */
export interface CommandDescription {
  readonly name: string
  /** One line for the list of commands, without a full stop. */
  readonly summary: string
  /** Paragraphs of `--help` above the options. */
  readonly introduction: readonly string[]
  readonly argument?: ArgumentDescription
  readonly options: OptionDescriptions
  /** Paragraphs of `--help` below the options; each line break stays. */
  readonly notes?: readonly string[]
}

/** A program with its commands. */
export interface ProgramDescription {
  /** As people type it. */
  readonly name: string
  readonly introduction: readonly string[]
  /** The options without a command. */
  readonly options: OptionDescriptions
  readonly commands: readonly CommandDescription[]
}

/** The option that every command has. */
export const helpOption = {
  help: { type: 'boolean', short: 'h', text: 'print this text' },
} as const satisfies OptionDescriptions
