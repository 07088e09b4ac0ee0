import type { ConfigFault } from './config-error.ts'
import { configSchema, variableNames } from './config-schema.ts'
import type { Settings, VariableName } from './config-shape.ts'
import { factsOf } from './variable.ts'

/** The variables as far as they could be read, for rules that compare them. */
export interface SettingsReading {
  /** A variable that is faulty is absent. */
  readonly settings: Partial<Settings>
  readonly faults: readonly ConfigFault[]
  /** Tells whether the operator set the variable, rightly or wrongly; an empty one counts as unset. */
  readonly isSet: (variable: VariableName) => boolean
}

/**
 * Reads each variable on its own, so that a fault in one hides no fault in another.
 *
 * zod's own `configSchema.parse` would not run the rules between variables once one of them is faulty.
 */
export function readSettings(env: NodeJS.ProcessEnv): SettingsReading {
  const settings: Record<string, unknown> = {}
  const faults: ConfigFault[] = []
  for (const variable of variableNames) {
    const result = configSchema.shape[variable].safeParse(env[variable] || undefined)
    if (result.success) settings[variable] = result.data
    else faults.push(...result.error.issues.map(({ message }) => faultOf(variable, message)))
  }
  return { settings: settings as Partial<Settings>, faults, isSet: variable => Boolean(env[variable]) }
}

/** A fault of a variable, with the example that its schema gives unless there is a better one. */
export function faultOf(variable: VariableName, problem: string, example?: string): ConfigFault {
  return {
    variable,
    problem,
    example: `${variable}=${example ?? factsOf(configSchema.shape[variable]).example}`,
  }
}
