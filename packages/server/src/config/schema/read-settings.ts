import type { ConfigFault } from '../config-error.ts'
import { Refusal } from '../values/refusal.ts'
import { configSchema, type VariableName, variableNames } from './config-schema.ts'
import type { Settings } from './settings.ts'
import type { Variable } from './variable.ts'

/** The variables as far as they could be read, for rules that compare them. */
export interface SettingsReading {
  /** A variable that is faulty is absent. */
  readonly settings: Partial<Settings>
  readonly faults: readonly ConfigFault[]
  /** Tells whether the operator set the variable, rightly or wrongly; an empty one counts as unset. */
  readonly isSet: (variable: VariableName) => boolean
  /** The text of a variable; `undefined` or empty when it is not set. */
  readonly textOf: (variable: VariableName) => string | undefined
  /** The names of all variables that are there, empty ones and others' included. */
  readonly names: readonly string[]
}

/** Reads each variable on its own, so that a fault in one hides no fault in another. */
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

/** A fault of a variable, with the example that its schema gives unless there is a better one. */
export function faultOf(variable: VariableName, problem: string, example?: string): ConfigFault {
  return { variable, problem, example: `${variable}=${example ?? configSchema[variable].example}` }
}
