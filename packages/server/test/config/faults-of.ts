import { ConfigError } from '../../src/config/config-error.ts'
import { loadConfig } from '../../src/config/load-config.ts'

/** The faults that an environment has, as `VARIABLE: problem` or `line:column: key: problem`; none when it loads. */
export function faultsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig(env)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.faults.map(fault =>
      'variable' in fault
        ? `${fault.variable}: ${fault.problem}`
        : `${fault.line}:${fault.column}: ${fault.key}: ${fault.problem}`,
    )
  }
}
