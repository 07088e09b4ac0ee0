import type { Config } from './config.ts'
import { configFrom } from './config-from.ts'
import type { ConfigFileReader } from './file/config-file-reader.ts'

/**
 * Reads the configuration like `configFrom`, but does not miss a gate: for commands that answer no checks. Throws a `ConfigError` that lists every
 * other fault.
 */
export function configWithoutGate(env: NodeJS.ProcessEnv, reader: ConfigFileReader | undefined): Config {
  const config = configFrom({ ...env, ALLOW_UNAUTHENTICATED_CALLERS: 'true' }, reader)
  return { ...config, allowUnauthenticatedCallers: false }
}
