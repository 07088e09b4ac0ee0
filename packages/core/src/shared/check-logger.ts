import { logContext } from './log-context.ts'
import type { Logger } from './logger.ts'

/** Adds to each line the fields of the check that caused it. */
export class CheckLogger implements Logger {
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  debug(fields: object, message: string): void {
    this.#logger.debug(withCheck(fields), message)
  }

  info(fields: object, message: string): void {
    this.#logger.info(withCheck(fields), message)
  }

  warn(fields: object, message: string): void {
    this.#logger.warn(withCheck(fields), message)
  }

  error(fields: object, message: string): void {
    this.#logger.error(withCheck(fields), message)
  }
}

function withCheck(fields: object): object {
  const ofCheck = logContext.fields
  return ofCheck === undefined ? fields : { ...ofCheck, ...fields }
}
