import type { Config } from './config.ts'
import { ConfigError } from './config-error.ts'
import { findConflicts } from './rules/config-rules.ts'
import { configWarnings } from './rules/config-warnings.ts'
import { hasGate } from './rules/gate-variables.ts'
import { configSchema, type VariableName, variableNames } from './schema/config-schema.ts'
import { optionsFrom } from './schema/option-path.ts'
import { readSettings, type SettingsReading } from './schema/read-settings.ts'
import type { ServerSettings } from './schema/settings.ts'
import type { Variable } from './schema/variable.ts'
import { envoyHeaderPrefixes } from './values/envoy-header-prefixes.ts'

/**
 * Reads the configuration from environment variables. Ignores other variables, with a warning where one seems to be a
 * misspelt variable of the broker.
 *
 * Throws a `ConfigError` that lists every fault at once. Reads the file of DEX_CA_FILE and nothing else.
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const reading = readSettings(env)
  const faults = [...reading.faults, ...findConflicts(reading)]
  if (faults.length > 0) throw new ConfigError(faults)
  const { admin, ...settings } = serverSettings(reading)
  const config = {
    ...settings,
    admin: admin === 'off' ? undefined : { ...admin, isDefault: !reading.isSet('ADMIN_ADDR') },
    broker: { ...brokerOptions(reading), reservedHeaderPrefixes: envoyHeaderPrefixes },
  }
  return { ...config, warnings: configWarnings(config, reading) }
}

function serverSettings({ settings }: SettingsReading): ServerSettings {
  const entries = variableNames.flatMap(name => {
    const { setting }: Variable = configSchema[name]
    const value = settings[name]
    return setting === undefined || value === undefined ? [] : [[setting, value] as const]
  })
  // Without a fault, every setting with a default is present.
  return Object.fromEntries(entries) as unknown as ServerSettings
}

function brokerOptions(reading: SettingsReading): Config['broker'] {
  const values = variableNames.flatMap(name => {
    const { option, setting }: Variable = configSchema[name]
    const value = setting === undefined ? effective(name, reading) : undefined
    return option === undefined || value === undefined ? [] : [[option, value] as const]
  })
  return optionsFrom(values)
}

/** The value of a variable, or `undefined` where another variable overrides it. */
function effective(name: VariableName, { settings, isSet }: SettingsReading): unknown {
  const { DEX_ISSUER } = settings
  // Its default must not override the discovered endpoint.
  if (name === 'DEX_TOKEN_URL' && DEX_ISSUER !== undefined && !isSet(name)) return undefined
  if (configSchema[name].option?.startsWith('gate.') && !hasGate(isSet)) return undefined
  // With Dex's keys, the issuer is Dex too.
  if (name === 'JWT_ISSUER' && !isSet(name) && !isSet('JWKS_URL')) return DEX_ISSUER
  return settings[name]
}
