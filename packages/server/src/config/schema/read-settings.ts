import type { VariableFault } from '../config-error.ts'
import type { ConfigFile } from '../file/config-file.ts'
import { Refusal } from '../values/refusal.ts'
import { configSchema, type VariableName, variableNames } from './config-schema.ts'
import type { Settings } from './settings.ts'
import type { Variable } from './variable.ts'

/** The variables that could be read, for rules that compare them. */
export interface SettingsReading {
  /** Without the variables that are invalid. */
  readonly settings: Partial<Settings>
  readonly faults: readonly VariableFault[]
  /** Whether the operator set the variable, validly or not; an empty one counts as unset. */
  readonly isSet: (variable: VariableName) => boolean
  /** The text of a variable; `undefined` or empty when it is not set. */
  readonly textOf: (variable: VariableName) => string | undefined
  /** The names of all environment variables, including empty and unrelated ones. */
  readonly names: readonly string[]
  /** The configuration file, whose settings are among these. */
  readonly file: ConfigFile | undefined
}

/**
 * Reads each variable separately, so that one fault does not hide another. The environment overrides the settings of the file,
 * unless the variable is empty.
 */
export function readSettings(env: NodeJS.ProcessEnv, file?: ConfigFile): SettingsReading {
  const textOf = (name: VariableName) => env[name] || (file?.texts[name] ?? env[name])
  const settings: Record<string, unknown> = {}
  const faults: VariableFault[] = []
  for (const name of variableNames) {
    const { kind, rule }: Variable = configSchema[name]
    const text = textOf(name)
    try {
      settings[name] = text ? kind.parse(text, rule) : rule.default
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      faults.push(...error.problems.map(problem => faultOf(name, problem)))
    }
  }
  return {
    settings: settings as Partial<Settings>,
    faults,
    isSet: variable => Boolean(textOf(variable)),
    textOf,
    names: Object.keys(env),
    file,
  }
}

/** Describes a fault in a variable, with the schema's example unless a better one is given. */
export function faultOf(variable: VariableName, problem: string, example?: string): VariableFault {
  return { variable, problem, example: `${variable}=${example ?? configSchema[variable].example}` }
}
