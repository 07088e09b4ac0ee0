import type { Config } from '../config/config.ts'
import { ConfigError, type ConfigFault } from '../config/config-error.ts'
import { configFrom } from '../config/config-from.ts'
import { configWithoutGate } from '../config/config-without-gate.ts'
import type { ConfigFileReader } from '../config/file/config-file-reader.ts'
import { failed, ok, type Report, warning } from './check-result.ts'

/** Where a configuration comes from. */
export interface ConfigurationSource {
  readonly env: NodeJS.ProcessEnv
  /** Needed when `env` has CONFIG_FILE. */
  readonly reader: ConfigFileReader | undefined
}

const name = 'configuration'

/**
 * Reads the configuration and reports everything that is wrong with it. Returns a configuration also when only a forgotten gate stops the start,
 * so that the rest can be checked; `undefined` when there is none.
 */
export function checkConfiguration({ env, reader }: ConfigurationSource, report: Report): Config | undefined {
  try {
    const config = configFrom(env, reader)
    report(ok(name, factOf(config)))
    for (const text of config.notes) report(ok(name, text))
    for (const text of config.warnings) report(warning(name, text))
    return config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const fault of error.faults) report(failed(placeOf(fault), fault.problem, adviceOf(fault)))
    return withoutGate({ env, reader })
  }
}

function factOf({ file }: Config): string {
  if (file === undefined) return 'valid'
  const rules = file.rules?.count ?? 0
  return `valid; ${file.path} has ${counted(file.issuers, 'issuer')}, ${counted(file.clients, 'client')} and ${counted(rules, 'rule')}`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function placeOf(fault: ConfigFault): string {
  if ('variable' in fault) return fault.variable
  return `${fault.file}:${fault.line}:${fault.column}${fault.key === '' ? '' : ` ${fault.key}`}`
}

function adviceOf({ example }: ConfigFault): string | undefined {
  return example === undefined ? undefined : `for example ${example}`
}

/** The same configuration, if the gate is all that it lacks. */
function withoutGate({ env, reader }: ConfigurationSource): Config | undefined {
  try {
    return configWithoutGate(env, reader)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return undefined
  }
}
