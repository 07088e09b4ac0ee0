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
      'Minimum severity of logged messages: DEBUG, INFO, WARN or ERROR. Single checks are logged at DEBUG. Can be changed while the broker runs (docs/operations.md).',
  }),
  LOG_FORMAT: setting('logFormat', {
    group,
    kind: kind.oneOf('json', 'text'),
    rule: { default: 'json' },
    needsRestart: true,
    example: 'text',
    description: 'Format of the log: one JSON object per line, or text for people.',
  }),
  ACCESS_LOG: setting('accessLog', {
    group,
    kind: kind.oneOf('off', 'refused', 'all'),
    rule: { default: 'off' },
    example: 'refused',
    description:
      'Checks that get a log line each at INFO, with outcome, code, reason, rule, client, cache and duration: none, refused ones, or all. Never a secret, a token or a path.',
  }),
} satisfies Readonly<Record<string, Variable>>
