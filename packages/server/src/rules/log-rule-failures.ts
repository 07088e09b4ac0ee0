import type { Logger } from '@broker/core'
import type { Config } from '../config/config.ts'

const hint = 'correct the expression of the rule: test for a claim with has() before reading it'

/** Logs when an expression of the configured rules fails, which refuses the request. */
export function logRuleFailures({ file }: Pick<Config, 'file'>, logger: Logger): void {
  if (file?.rules === undefined) return
  file.rules.failures.listener = failure =>
    logger.warn({ ...failure, hint }, 'the expression of a rule failed; request refused')
}
