import type { Client } from '../clients/client.ts'
import { assertClientCredentials } from '../clients/client-credentials.ts'
import type { Clients } from '../clients/clients.ts'
import type { TokenOrder } from '../clients/token-order.ts'
import type { BrokerError } from '../shared/errors.ts'
import type { CallersCredentials } from './callers-credentials.ts'
import type { CallersClientChoice, ClientChoice } from './choose-client.ts'
import type { CredentialHeaders } from './credential-headers.ts'

export interface ChosenOrdersOptions {
  readonly clients: Clients
  /** Reads the parts that callers bring. */
  readonly credentials: CallersCredentials
  /** Makes the error for a choice that has a fault, which is never the caller's. */
  readonly unusable: (problem: string, rule: string | undefined) => BrokerError
}

/** Turns the choice of a client into an order. */
export class ChosenOrders {
  readonly #options: ChosenOrdersOptions

  constructor(options: ChosenOrdersOptions) {
    this.#options = options
  }

  /** Returns the order of a choice. Throws the error of `unusable` when the choice has a fault, else like `missingPartsOf`. */
  order(choice: ClientChoice | CallersClientChoice, headers: CredentialHeaders): TokenOrder {
    if (!isCallers(choice)) return this.ofClient(choice, headers)
    const { clients, credentials } = this.#options
    const { allowedClientIds: clientIds, allowedScopes: scopes } = choice
    const client = clients.caller
    return client.order(credentials.missingPartsOf(client.configured, headers, { clientIds, scopes }))
  }

  /** Works like `order` for a configured client; `caller` is the name of none. */
  ofClient(choice: ClientChoice, headers: CredentialHeaders): TokenOrder {
    const { clients, credentials, unusable } = this.#options
    const client = clients.named(choice.client)
    if (client === undefined) {
      throw unusable(`the client ${JSON.stringify(choice.client)} does not exist`, choice.rule)
    }
    if (client !== clients.default) return this.#orderOf(client, choice)
    // Before the parts of the caller, so that each of the two has a separate error.
    if (choice.scope !== undefined || choice.audiences !== undefined) this.#assertScope(client, choice)
    const configured = { ...client.configured, scope: choice.scope ?? client.configured.scope }
    return client.order(credentials.missingPartsOf(configured, headers), choice)
  }

  #orderOf(client: Client, choice: ClientChoice): TokenOrder {
    try {
      return client.chosenOrder(choice)
    } catch (error) {
      throw this.#wrongScope(error, choice)
    }
  }

  #assertScope(client: Client, choice: ClientChoice): void {
    try {
      const scope = client.scopeOf(choice)
      assertClientCredentials({ clientId: 'any', clientSecret: 'any', scope, configured: true })
    } catch (error) {
      throw this.#wrongScope(error, choice)
    }
  }

  #wrongScope(error: unknown, { rule }: ClientChoice): BrokerError {
    return this.#options.unusable(`the scope of the choice is wrong: ${(error as Error).message}`, rule)
  }
}

function isCallers(choice: ClientChoice | CallersClientChoice): choice is CallersClientChoice {
  return choice.client === 'caller'
}
