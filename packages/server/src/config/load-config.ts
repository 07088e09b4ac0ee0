import type { Config } from './config.ts'
import { ConfigError } from './config-error.ts'
import { findConflicts } from './config-rules.ts'
import type { Settings } from './config-shape.ts'
import { readSettings } from './read-settings.ts'
import { toConfig } from './to-config.ts'

/**
 * Reads the configuration from environment variables; variables that are not ours are ignored.
 *
 * Throws a `ConfigError` that lists every fault at once. Reads the file of DEX_CA_FILE and nothing else.
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const reading = readSettings(env)
  const faults = [...reading.faults, ...findConflicts(reading)]
  if (faults.length > 0) throw new ConfigError(faults)
  // Without a fault nothing is absent.
  return toConfig(reading.settings as Settings, reading.isSet)
}
