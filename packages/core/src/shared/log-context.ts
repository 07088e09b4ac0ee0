import { AsyncLocalStorage } from 'node:async_hooks'

/** Fields that connect a log line to the check that caused it. */
export type LogFields = Readonly<Record<string, string>>

/** A check, as far as the log needs it. */
export interface LoggedCheck {
  readonly logFields?: LogFields | undefined
}

/**
 * The check that the running code works for. Storage of Node for each check would cost every cached one: the check is a plain variable
 * while its code runs without waiting, and its fields go into the storage only where it begins to wait or starts a request.
 */
class LogContext {
  readonly #carried = new AsyncLocalStorage<LogFields | undefined>()
  #current: LoggedCheck | undefined

  /** The fields of the check that caused what happens now; `undefined` when no check did. */
  get fields(): LogFields | undefined {
    return this.#current === undefined ? this.#carried.getStore() : this.#current.logFields
  }

  /** Begins the code of a check, up to its first wait. Returns what {@link leave} needs. */
  enter(check: LoggedCheck): LoggedCheck | undefined {
    const before = this.#current
    this.#current = check
    return before
  }

  leave(before: LoggedCheck | undefined): void {
    this.#current = before
  }

  /** Runs work that can wait on behalf of the check of now, which began it; others may wait for the same work. */
  carry<T>(work: () => T): T {
    // Whatever waits already carries its check.
    if (this.#current === undefined) return work()
    return this.#carried.run(this.#current.logFields, work)
  }

  /** Returns a function that runs later, maybe in the code of another check, on behalf of the check of now. */
  bind<Argument>(run: (argument: Argument) => void): (argument: Argument) => void {
    const { fields } = this
    return argument => this.#runAs(fields, () => run(argument))
  }

  /** Runs code on behalf of no check, such as what repeats by a timer. */
  without<T>(run: () => T): T {
    return this.#runAs(undefined, run)
  }

  #runAs<T>(fields: LogFields | undefined, run: () => T): T {
    const before = this.#current
    this.#current = undefined
    try {
      return this.#carried.run(fields, run)
    } finally {
      this.#current = before
    }
  }
}

/** One for all brokers, because the process runs one piece of code at a time. */
export const logContext: LogContext = new LogContext()
