import { ConfigReading } from '../reload/config-reading.ts'
import type { Config } from './config.ts'
import { ConfigError, type ConfigFault, type FileFault, type VariableFault } from './config-error.ts'
import type { ConfigFile } from './file/config-file.ts'
import type { ConfigFileReader } from './file/config-file-reader.ts'
import type { FileParts } from './file/file-parts.ts'
import { configNotes } from './rules/config-notes.ts'
import { findConflicts } from './rules/config-rules.ts'
import { configWarnings } from './rules/config-warnings.ts'
import { hasGate } from './rules/gate-variables.ts'
import { otelVariableWarnings } from './rules/otel-variables.ts'
import { configSchema, type VariableName, variableNames } from './schema/config-schema.ts'
import { optionsFrom } from './schema/option-path.ts'
import { faultOf, readSettings, type SettingsReading } from './schema/read-settings.ts'
import type { ServerSettings } from './schema/settings.ts'
import type { Variable } from './schema/variable.ts'
import { readTlsParts } from './tls-settings.ts'
import { envoyHeaderPrefixes } from './values/envoy-header-prefixes.ts'
import { readProxySettings } from './values/proxy-settings.ts'
import type { ReadTextFile } from './values/read-text-file.ts'
import { Refusal } from './values/refusal.ts'

/**
 * Reads the configuration from environment variables, and from the file of CONFIG_FILE by `reader`, which is needed only when that
 * is set. `read` reads every file; default: from the disk, each of them once.
 *
 * Throws a `ConfigError` that lists every fault at once.
 */
export function configFrom(
  env: NodeJS.ProcessEnv,
  reader?: ConfigFileReader,
  read: ReadTextFile = new ConfigReading().read,
): Config {
  const { file, faults: readFaults } = openFile(env, reader, read)
  const reading = readSettings(env, file, read)
  const parts = file && reader?.parts(file, partsContext(reading), { env, readTextFile: read })
  const tls = readTlsParts(reading, read)
  const proxies = reading.settings.USE_PROXY_FROM_ENV === true ? readProxies(env) : undefined
  const faults = [
    ...readFaults,
    ...(file?.faults ?? []),
    ...reading.faults,
    ...tls.faults,
    ...(proxies?.faults ?? []),
    ...(parts?.faults ?? []),
    // A variable that seems to be missing may be in a file that could not be parsed.
    ...(readFaults.length > 0 || file?.isMalformed ? [] : findConflicts(reading)),
  ]
  if (faults.length > 0) throw new ConfigError(ordered(faults.map(fault => placed(fault, env, file))))
  const { admin, grpc, ...settings } = serverSettings(reading)
  const config = {
    ...settings,
    ...tls.parts,
    ...(proxies && { proxies: proxies.settings }),
    admin: admin === 'off' ? undefined : { ...admin, isDefault: !reading.isSet('ADMIN_ADDR') },
    grpc: grpc === 'off' ? undefined : grpc,
    ...(file && reader && { file: fileSummary(file, reader, parts) }),
    broker: { ...brokerOptions(reading), ...parts?.options, reservedHeaderPrefixes: envoyHeaderPrefixes },
  }
  return {
    ...config,
    warnings: [...configWarnings(config, reading), ...otelVariableWarnings(env, reading)],
    notes: configNotes(env, reading),
  }
}

function openFile(
  { CONFIG_FILE: path }: NodeJS.ProcessEnv,
  reader: ConfigFileReader | undefined,
  read: ReadTextFile,
): { readonly file?: ConfigFile; readonly faults: readonly VariableFault[] } {
  if (!path) return { faults: [] }
  if (reader === undefined) throw new TypeError('CONFIG_FILE needs a reader')
  try {
    return { file: reader.read(path, read), faults: [] }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { faults: error.problems.map(problem => faultOf('CONFIG_FILE', problem)) }
  }
}

function readProxies(env: NodeJS.ProcessEnv) {
  const faults: VariableFault[] = []
  const settings = readProxySettings(env, (variable, problem) =>
    faults.push({ variable, problem, example: `${variable}=http://proxy.example.com:3128` }),
  )
  return { settings, faults }
}

function partsContext(reading: SettingsReading) {
  const { settings, isSet } = reading
  return {
    settings,
    hasGate: hasGate(reading),
    hasDefaultClient: isSet('STATIC_CLIENT_ID') && isSet('STATIC_CLIENT_SECRET'),
  }
}

function fileSummary(
  file: ConfigFile,
  reader: ConfigFileReader,
  parts: FileParts | undefined,
): NonNullable<Config['file']> {
  return {
    path: file.path,
    isEmpty: file.isEmpty,
    issuers: file.issuers.length,
    clients: file.clients.length,
    rules: parts?.rules && {
      count: file.rules.length,
      compiled: parts.rules,
      failures: parts.ruleFailures,
    },
    exchanges: file.rules.flatMap(({ definition }) => definition.exchange ?? []),
    clientsOfRules: new Set(file.rules.flatMap(({ definition }) => definition.client ?? [])),
    description: reader.describe(file),
    issuerCertificates: parts?.issuerCertificates ?? {},
    clientIdentities: parts?.clientIdentities ?? { own: undefined, ofIssuers: {} },
  }
}

/** A fault in a variable that the file sets is a fault in the file. */
function placed(fault: ConfigFault, env: NodeJS.ProcessEnv, file: ConfigFile | undefined): ConfigFault {
  if (!('variable' in fault) || file === undefined || env[fault.variable]) return fault
  const name = fault.variable as VariableName
  if (file.texts[name] === undefined) return fault
  const example = fault.example.replace(/^([A-Z_]+)=/, '$1: ')
  return file.faultAt({ path: ['settings', name], problem: fault.problem, example })
}

/** Variables first, then the file from its top. */
function ordered(faults: readonly ConfigFault[]): readonly ConfigFault[] {
  const isInFile = (fault: ConfigFault): fault is FileFault => !('variable' in fault)
  const inFile = faults.filter(isInFile)
  inFile.sort((one, other) => one.line - other.line || one.column - other.column)
  return [...faults.filter(fault => !isInFile(fault)), ...inFile]
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
function effective(name: VariableName, reading: SettingsReading): unknown {
  const { settings, isSet, file } = reading
  const { DEX_ISSUER } = settings
  // Its default must not override the discovered endpoint.
  if (name === 'DEX_TOKEN_URL' && DEX_ISSUER !== undefined && !isSet(name)) return undefined
  const { option } = configSchema[name]
  if (option?.startsWith('gate.') && !hasGate(reading)) return undefined
  // Each issuer of the file has its own.
  if ((option === 'gate.groupsClaim' || option === 'gate.algorithms') && file?.has.issuers) return undefined
  // With Dex's keys, the issuer is Dex too.
  if (name === 'JWT_ISSUER' && !isSet(name) && !isSet('JWKS_URL') && !file?.has.issuers) return DEX_ISSUER
  return settings[name]
}
