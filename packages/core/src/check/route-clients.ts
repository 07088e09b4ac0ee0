import type { Clients } from '../clients/clients.ts'
import type { TokenOrder } from '../clients/token-order.ts'
import { BrokerError } from '../shared/errors.ts'
import { logText } from '../shared/log-text.ts'
import { loggedRefusal } from '../shared/logged-refusals.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { CallersCredentials } from './callers-credentials.ts'
import type { CheckRequest } from './check-request.ts'
import type { ClientChoice } from './choose-client.ts'
import { ChosenOrders } from './chosen-orders.ts'
import type { CredentialHeaders } from './credential-headers.ts'

export interface RouteClientsOptions {
  readonly clients: Clients
  readonly credentials: CallersCredentials
}

/**
 * Chooses the client by the keys `client`, `scope` and `audiences` in the context of a check. Keys that are not usable refuse the
 * request with `server_error`, because they are the operator's: the default client's token would be another one than was meant.
 */
export class RouteClients {
  readonly #surroundings: Surroundings
  readonly #orders: ChosenOrders

  constructor(surroundings: Surroundings, options: RouteClientsOptions) {
    this.#surroundings = surroundings
    this.#orders = new ChosenOrders({ ...options, unusable: problem => this.#unusable(problem) })
  }

  /** Returns the choice in a context; `undefined` for one that has none of the keys. An empty value counts as absent. */
  choiceIn(context: CheckRequest['context']): ClientChoice | undefined {
    if (context === undefined || context === null) return undefined
    // Of a map every key would seem to be absent.
    if (Object.prototype.toString.call(context) !== '[object Object]') {
      throw this.#unusable('the context is not a plain object')
    }
    const client = this.#valueOf(context, 'client')
    const scope = this.#valueOf(context, 'scope')
    const audiences = this.#valueOf(context, 'audiences')
      ?.split(/[\s,]+/)
      .filter(Boolean)
    const hasAudiences = audiences !== undefined && audiences.length > 0
    if (client === undefined && scope === undefined && !hasAudiences) return undefined
    return { client: client ?? 'default', scope, audiences: hasAudiences ? audiences : undefined }
  }

  /** Returns the order of a choice. Throws `server_error` when the choice has a fault, else like `missingPartsOf`. */
  order(choice: ClientChoice, headers: CredentialHeaders): TokenOrder {
    return this.#orders.ofClient(choice, headers)
  }

  #valueOf(context: Readonly<Record<string, unknown>>, key: string): string | undefined {
    const value = Object.hasOwn(context, key) ? context[key] : undefined
    if (value === undefined || value === '') return undefined
    if (typeof value !== 'string') throw this.#unusable(`the value of ${key} is not a string`)
    return value
  }

  /** Callers decide how often it happens, so the line is sampled. */
  #unusable(problem: string): BrokerError {
    const { sampler, logger } = this.#surroundings
    sampler.note('unusable_context', count =>
      logger.error(
        { problem: logText(problem), count, hint: 'correct the context_extensions of the route in Envoy' },
        'checks failed: the context of the route chooses no usable client',
      ),
    )
    return loggedRefusal(new BrokerError('server_error', 'internal error'))
  }
}
