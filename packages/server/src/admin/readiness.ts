import type { TokenBroker } from '@broker/core'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'

/** Whether checks should be sent here, for the orchestrator, and in the log when that changes. */
export class Readiness {
  readonly #broker: TokenBroker
  readonly #logger: Logger
  readonly #whatMayBeMissing: string
  #lastReason: string | undefined = 'nobody has asked'
  #draining = false

  constructor(broker: TokenBroker, config: Config, logger: Logger) {
    this.#broker = broker
    this.#logger = logger
    this.#whatMayBeMissing = whatMayBeMissing(config)
  }

  /** Why not, or `undefined`; asking starts to load what is missing. An arrow function, to be handed on. */
  readonly notReadyBecause = (): string | undefined => {
    if (this.#draining) return 'shutting down'
    const reason = this.#broker.isReady ? undefined : this.#whatMayBeMissing
    if (reason !== this.#lastReason) {
      this.#lastReason = reason
      if (reason === undefined) this.#logger.info('ready')
      else this.#logger.info(`not ready: ${reason}`)
    }
    return reason
  }

  drain(): void {
    this.#draining = true
  }
}

function whatMayBeMissing({ tokenEndpoint, gate }: Config): string {
  if (gate === undefined) return 'DEX_ISSUER is not discovered yet'
  const isConfigured = tokenEndpoint !== undefined && gate.jwksUri !== undefined
  return isConfigured ? 'no key set loaded yet' : 'DEX_ISSUER is not discovered or no key set loaded yet'
}
