import type { Config } from './config.ts'
import { shownValue } from './describe-config.ts'
import { configSchema, type VariableName, variableNames } from './schema/config-schema.ts'
import type { Variable } from './schema/variable.ts'

/** A configuration that a running server can take. */
export interface TakenConfig {
  readonly config: Config
  /** The variables whose new values wait for the next start. */
  readonly waiting: readonly VariableName[]
}

/** Replaces what a server cannot change while it runs by what it runs with. */
export function withRunningSettings(wanted: Config, running: Config): TakenConfig {
  const config: Record<string, unknown> = { ...wanted }
  const waiting: VariableName[] = []
  for (const name of variableNames) {
    const { needsRestart, setting }: Variable = configSchema[name]
    if (!needsRestart || setting === undefined) continue
    if (shownValue(name, wanted) === shownValue(name, running)) continue
    waiting.push(name)
    config[setting] = (running as unknown as Record<string, unknown>)[setting]
  }
  return { config: config as unknown as Config, waiting }
}
