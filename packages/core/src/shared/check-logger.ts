import { logContext } from './log-context.ts'
import type { Logger } from './logger.ts'

/** Adds to each line the fields of the check that caused it. */
export class CheckLogger implements Logger {
  readonly #target: Logger

  constructor(target: Logger) {
    this.#target = target
  }

  debug(fields: object, message: string): void {
    this.#target.debug(withCheck(fields), message)
  }

  info(fields: object, message: string): void {
    this.#target.info(withCheck(fields), message)
  }

  warn(fields: object, message: string): void {
    this.#target.warn(withCheck(fields), message)
  }

  error(fields: object, message: string): void {
    this.#target.error(withCheck(fields), message)
  }
}

function withCheck(fields: object): object {
  const ofCheck = logContext.fields
  return ofCheck === undefined ? fields : { ...ofCheck, ...fields }
}
