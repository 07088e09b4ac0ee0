import type { Config } from './config.ts'
import { configFrom } from './config-from.ts'
import { YamlConfigReader } from './file/yaml-config-reader.ts'

/**
 * Reads the configuration from environment variables and the file of CONFIG_FILE. Ignores other variables, with a warning where
 * one seems to be a misspelt variable of the broker.
 *
 * Throws a `ConfigError` that lists every fault at once. Reads no files but those that the configuration names.
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  return configFrom(env, new YamlConfigReader())
}
