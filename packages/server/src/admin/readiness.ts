import type { Broker, Missing } from '@broker/core'
import type { Logger } from 'pino'

/** Whether the broker is ready for checks; logs each change. */
export class Readiness {
  readonly #broker: Pick<Broker, 'missing'>
  readonly #logger: Logger
  #lastReason: string | undefined = 'not asked yet'
  #draining = false
  /** Whether what is missing belongs to a new configuration. */
  #loadsNewParts = false

  constructor(broker: Pick<Broker, 'missing'>, logger: Logger) {
    this.#broker = broker
    this.#logger = logger
  }

  /** The reason why not, or `undefined`. Asking starts to load what is missing. An arrow function, so that it can be passed on. */
  readonly notReadyBecause = (): string | undefined => {
    if (this.#draining) return 'shutting down'
    const missing = this.#broker.missing()
    if (missing.length === 0) this.#loadsNewParts = false
    const reason = this.#loadsNewParts ? undefined : reasonOf(missing)
    if (reason !== this.#lastReason) {
      this.#lastReason = reason
      if (reason === undefined) this.#logger.info('ready')
      else this.#logger.info(`not ready: ${reason}`)
    }
    return reason
  }

  /**
   * Starts to load what a new configuration needs. A broker that was ready stays so meanwhile: all replicas reload together, and
   * callers of the other issuers would have none left. A check that needs the new parts waits for them.
   */
  reloaded(): void {
    this.#loadsNewParts = this.#lastReason === undefined
    this.notReadyBecause()
  }

  drain(): void {
    this.#draining = true
  }
}

const reasons = {
  endpoints: 'DEX_ISSUER is not discovered yet',
  keys: 'no key set loaded yet',
} as const satisfies Record<Missing, string>

function reasonOf(missing: readonly Missing[]): string | undefined {
  return missing.length === 0 ? undefined : missing.map(what => reasons[what]).join(', ')
}
