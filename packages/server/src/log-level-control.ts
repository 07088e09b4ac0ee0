import type { Logger } from 'pino'
import { formatLogLevel, type LogLevel } from './config/values/log-level.ts'

/** How long a signal turns DEBUG on. */
const debugMs = 10 * 60_000

/** Runs a function after a delay, unless it is cancelled before. */
export type Schedule = (run: () => void, delayMs: number) => { cancel(): void }

type Cause = 'admin' | 'signal' | 'signal ended' | 'reload'

export interface LogLevelControlOptions {
  readonly logger: Logger
  /** Called after each change. */
  readonly onChange: () => void
  /** Default: a timer that keeps no process alive. */
  readonly schedule?: Schedule
}

/** Changes the level of the log while the server runs. The last change wins; each has a line. */
export class LogLevelControl {
  readonly #logger: Logger
  readonly #onChange: () => void
  readonly #schedule: Schedule
  /** The level without a signal. */
  #base: LogLevel
  #debugging: { cancel(): void } | undefined

  constructor({ logger, onChange, schedule = byTimer }: LogLevelControlOptions) {
    this.#logger = logger
    this.#onChange = onChange
    this.#schedule = schedule
    this.#base = logger.level as LogLevel
  }

  /** The level now, as in LOG_LEVEL. */
  get name(): string {
    return formatLogLevel(this.#logger.level as LogLevel)
  }

  /** Sets the level until the next change or the end of the process. Ends the DEBUG of a signal. */
  set(level: LogLevel, by: 'admin' | 'reload'): void {
    this.close()
    this.#base = level
    this.#change(level, by)
  }

  /** Turns DEBUG on for ten minutes; a repetition starts the ten minutes again. Then the level is what it was. */
  debugForTenMinutes(): void {
    this.close()
    this.#debugging = this.#schedule(() => {
      this.#debugging = undefined
      this.#change(this.#base, 'signal ended')
    }, debugMs)
    // More than DEBUG stays.
    this.#change(this.#base === 'trace' ? 'trace' : 'debug', 'signal', debugMs)
  }

  /** Ends the timer of a signal. */
  close(): void {
    this.#debugging?.cancel()
    this.#debugging = undefined
  }

  /** Writes the line at the more talkative of both levels, so that it is not lost. */
  #change(level: LogLevel, by: Cause, forMs?: number): void {
    const previous = this.#logger.level as LogLevel
    const severity = this.#logger.levels.values
    const isRaised = (severity[level] ?? Infinity) < (severity[previous] ?? Infinity)
    if (isRaised) this.#logger.level = level
    this.#logger.warn(
      { logLevel: formatLogLevel(level), previous: formatLogLevel(previous), by, forMs },
      'log level changed',
    )
    this.#logger.level = level
    this.#onChange()
  }
}

function byTimer(run: () => void, delayMs: number): { cancel(): void } {
  const timer = setTimeout(run, delayMs).unref()
  return { cancel: () => clearTimeout(timer) }
}
