import { setting, type Variable } from '../variable.ts'
import * as kind from '../variable-kinds.ts'

const group = 'Logs'

/** The variables of the group "Logs". */
export const logVariables = {
  LOG_LEVEL: setting('logLevel', {
    group,
    kind: kind.logLevel,
    rule: { default: 'info' },
    example: 'DEBUG',
    description:
      'Minimum severity of logged messages: DEBUG, INFO, WARN or ERROR. Single checks are logged at DEBUG.',
  }),
  LOG_FORMAT: setting('logFormat', {
    group,
    kind: kind.oneOf('json', 'text'),
    rule: { default: 'json' },
    needsRestart: true,
    example: 'text',
    description: 'Format of the log: one JSON object per line, or text for people.',
  }),
} satisfies Readonly<Record<string, Variable>>
