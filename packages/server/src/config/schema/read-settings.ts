import type { VariableFault } from '../config-error.ts'
import type { ConfigFile } from '../file/config-file.ts'
import { type ReadTextFile, readTextFile } from '../values/read-text-file.ts'
import { Refusal } from '../values/refusal.ts'
import { configSchema, type VariableName, variableNames } from './config-schema.ts'
import { secretFileVariable } from './secret-files.ts'
import type { Settings } from './settings.ts'
import type { Variable } from './variable.ts'
import type { SecretFile } from './variable-kinds.ts'

/** The variables that could be read, for rules that compare them. */
export interface SettingsReading {
  /** Without the variables that are invalid. */
  readonly settings: Partial<Settings>
  readonly faults: readonly VariableFault[]
  /** Whether the operator set the variable, validly or not; an empty one counts as unset. A secret may be in a file. */
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
export function readSettings(
  env: NodeJS.ProcessEnv,
  file?: ConfigFile,
  read: ReadTextFile = readTextFile,
): SettingsReading {
  const textOf = (name: VariableName) => env[name] || (file?.texts[name] ?? env[name])
  const twinOf = (name: VariableName) =>
    (configSchema[name] as Variable).secret ? (secretFileVariable(name) as VariableName) : undefined
  const settings: Record<string, unknown> = {}
  const faults: VariableFault[] = []
  for (const name of variableNames) {
    const { kind, rule }: Variable = configSchema[name]
    const text = textOf(name)
    try {
      settings[name] = text ? kind.parse(text, rule, read) : rule.default
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      faults.push(...error.problems.map(problem => faultOf(name, problem)))
    }
  }
  for (const name of variableNames) {
    const twin = twinOf(name)
    if (twin !== undefined) settings[name] ??= (settings[twin] as SecretFile | undefined)?.secret
  }
  return {
    settings: settings as Partial<Settings>,
    faults,
    isSet: variable => {
      const twin = twinOf(variable)
      return Boolean(textOf(variable) || (twin && textOf(twin)))
    },
    textOf,
    names: Object.keys(env),
    file,
  }
}

/** Describes a fault in a variable, with the schema's example unless a better one is given. */
export function faultOf(variable: VariableName, problem: string, example?: string): VariableFault {
  return { variable, problem, example: `${variable}=${example ?? configSchema[variable].example}` }
}
