import type { ConfigFault } from '../config-error.ts'
import { Refusal } from '../values/refusal.ts'
import { configSchema, type VariableName, variableNames } from './config-schema.ts'
import type { Settings } from './settings.ts'
import type { Variable } from './variable.ts'

/** The variables that could be read, for rules that compare them. */
export interface SettingsReading {
  /** Without the variables that are invalid. */
  readonly settings: Partial<Settings>
  readonly faults: readonly ConfigFault[]
  /** Whether the operator set the variable, validly or not; an empty one counts as unset. */
  readonly isSet: (variable: VariableName) => boolean
  /** The text of a variable; `undefined` or empty when it is not set. */
  readonly textOf: (variable: VariableName) => string | undefined
  /** The names of all environment variables, including empty and unrelated ones. */
  readonly names: readonly string[]
}

/** Reads each variable separately, so that one fault does not hide another. */
export function readSettings(env: NodeJS.ProcessEnv): SettingsReading {
  const settings: Record<string, unknown> = {}
  const faults: ConfigFault[] = []
  for (const name of variableNames) {
    const { kind, rule }: Variable = configSchema[name]
    const text = env[name]
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
    isSet: variable => Boolean(env[variable]),
    textOf: variable => env[variable],
    names: Object.keys(env),
  }
}

/** Describes a fault in a variable, with the schema's example unless a better one is given. */
export function faultOf(variable: VariableName, problem: string, example?: string): ConfigFault {
  return { variable, problem, example: `${variable}=${example ?? configSchema[variable].example}` }
}
