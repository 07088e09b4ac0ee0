import { optionalSetting, type Variable } from '../variable.ts'
import * as kind from '../variable-kinds.ts'

const group = 'Configuration file'

/** The variables of the group "Configuration file". */
export const fileVariables = {
  CONFIG_FILE: optionalSetting('configFile', {
    group,
    kind: kind.yamlFile,
    example: '/etc/dex-token-broker/config.yaml',
    description:
      'YAML file with issuers, clients and rules, and with settings: values for other variables, which the environment overrides. Read again when it changes.',
  }),
} satisfies Readonly<Record<string, Variable>>
