import type { Logger } from 'pino'
import type { Config } from './config/config.ts'

type Told = Pick<Config, 'notes' | 'warnings'>

/** The lines of the log about the configuration in effect. */
export class ConfigLog {
  readonly #logger: Logger
  #warnings: ReadonlySet<string>
  /** The settings that wait for the next start, as the log named them last. */
  #waiting = ''

  /** Writes the notes and warnings of the first configuration. */
  constructor({ notes, warnings }: Told, logger: Logger) {
    this.#logger = logger
    this.#warnings = new Set(warnings)
    for (const note of notes) logger.info(note)
    for (const warning of warnings) logger.warn(warning)
  }

  /** Writes the warnings that are new, and the settings whose new values wait for the next start. */
  reloaded({ warnings }: Told, waiting: readonly string[]): void {
    for (const warning of warnings) if (!this.#warnings.has(warning)) this.#logger.warn(warning)
    this.#warnings = new Set(warnings)
    if (waiting.length > 0 && waiting.join() !== this.#waiting) {
      const hint = 'restart the broker to apply them'
      this.#logger.warn({ settings: waiting, hint }, 'changed settings take effect at the next start')
    }
    this.#waiting = waiting.join()
  }
}
