import type { Config } from './config.ts'
import { configSchema, type VariableName, variableNames } from './schema/config-schema.ts'
import { optionAt } from './schema/option-path.ts'
import type { Variable } from './schema/variable.ts'

const mask = '********'

/**
 * Describes the effective configuration, one `NAME=value` line per variable, with secrets masked. The issuers, clients and rules
 * of the configuration file follow as YAML.
 *
 * A value is empty when it is not set, when it is discovered, and for the JWT gate when the gate is off. Has no final
 * line break.
 */
export function describeConfig(config: Config): string {
  const variables = variableNames.map(name => `${name}=${effectiveValue(name, config)}`).join('\n')
  return config.file === undefined ? variables : `${variables}\n\n${config.file.description}`
}

function effectiveValue(name: VariableName, config: Config): string {
  const text = shownValue(name, config)
  return (configSchema[name] as Variable).secret && text !== '' ? mask : text
}

/** The value of a variable as text, empty when it is not set. A secret is not masked. */
export function shownValue(name: VariableName, config: Config): string {
  const { kind }: Variable = configSchema[name]
  const value = settingOf(name, config)
  return value === undefined ? '' : (kind.show ?? kind.format)(value)
}

function settingOf(name: VariableName, config: Config): unknown {
  if (name === 'ADMIN_ADDR') return config.admin ?? 'off'
  if (name === 'GRPC_LISTEN_ADDR') return config.grpc ?? 'off'
  const { setting, option }: Variable = configSchema[name]
  if (setting !== undefined) return (config as unknown as Record<string, unknown>)[setting]
  return option === undefined ? undefined : optionAt(config.broker, option)
}
