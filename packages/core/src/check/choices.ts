import type { Clients } from '../clients/clients.ts'
import type { TokenOrder } from '../clients/token-order.ts'
import type { AuthenticatedCaller } from '../gate/authenticated-caller.ts'
import { BrokerError } from '../shared/errors.ts'
import { isHeaderValue } from '../shared/http/header-value.ts'
import { loggedRefusal } from '../shared/logged-refusals.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { RuleOutcome } from './allow-verdicts.ts'
import type { CallersCredentials } from './callers-credentials.ts'
import { choiceProblem } from './choice-problem.ts'
import type {
  CallersClientChoice,
  Choice,
  ChooseClient,
  ClientChoice,
  Denial,
  ExchangeChoice,
} from './choose-client.ts'
import { ChosenOrders } from './chosen-orders.ts'
import type { CredentialHeaders } from './credential-headers.ts'
import type { Denials } from './denials.ts'
import type { Exchanges } from './exchanges.ts'
import type { IncomingRequest } from './incoming-request.ts'

export interface ChoicesOptions {
  readonly chooseClient: ChooseClient
  readonly clients: Clients
  readonly exchanges: Exchanges
  /** Reads the parts that callers bring. */
  readonly credentials: CallersCredentials
  readonly denials: Denials
  /** In lower case. */
  readonly backendHeaders: readonly string[]
}

/**
 * Calls `chooseClient`, and turns its choice into an order and headers. A choice that is not usable refuses the request with
 * `server_error`, because it is never the caller's fault.
 */
export class Choices {
  readonly #surroundings: Surroundings
  readonly #options: ChoicesOptions
  readonly #orders: ChosenOrders
  readonly #backendHeaders: ReadonlySet<string>
  /** By `set` of the choice. */
  readonly #outcomes = new WeakMap<object, RuleOutcome>()

  constructor(surroundings: Surroundings, options: ChoicesOptions) {
    this.#surroundings = surroundings
    this.#options = options
    const { clients, credentials } = options
    const unusable = (problem: string, rule: string | undefined) => this.#unusable(problem, rule)
    this.#orders = new ChosenOrders({ clients, credentials, unusable })
    this.#backendHeaders = new Set(options.backendHeaders)
  }

  /** Returns a choice of the right form. Throws the `BrokerError` of `chooseClient`, or `server_error`. */
  choose(caller: AuthenticatedCaller | undefined, request: IncomingRequest): Choice {
    const choice = this.#ask(caller, request)
    // Its rejection would end the process.
    if (choice instanceof Promise) choice.catch(() => {})
    const problem = choiceProblem(choice, caller !== undefined)
    if (problem !== undefined) throw this.#unusable(`the choice ${problem}`)
    return choice
  }

  /** Returns the order of a choice. Throws `server_error` when the choice has a fault, else like `missingPartsOf`. */
  order(choice: ClientChoice | CallersClientChoice, headers: CredentialHeaders): TokenOrder {
    return this.#orders.order(choice, headers)
  }

  /**
   * Returns the order of an exchange of the caller's JWT. Throws `server_error` when the choice has a fault, and `invalid_token` for
   * a JWT that cannot be a subject token.
   */
  exchangeOrder({ exchange, rule }: ExchangeChoice, caller: AuthenticatedCaller): TokenOrder {
    try {
      return this.#options.exchanges.ofCaller(caller, exchange)
    } catch (error) {
      if (BrokerError.is(error) && error.code === 'invalid_token') throw error
      throw this.#unusable(`the exchange of the choice is wrong: ${(error as Error).message}`, rule)
    }
  }

  /** Returns what a choice adds to the verdict. Throws `server_error` for a header that is not one of `backendHeaders`. */
  outcome(choice: Exclude<Choice, Denial>): RuleOutcome {
    const { set, rule } = choice
    if (set === undefined) return choice as RuleOutcome
    const known = this.#outcomes.get(set)
    if (known !== undefined && known.rule === rule) return known
    const values: Record<string, string> = {}
    const seen = new Set<string>()
    for (const [name, value] of Object.entries(set)) {
      const header = name.toLowerCase()
      if (!this.#backendHeaders.has(header)) {
        throw this.#unusable(`the header ${JSON.stringify(name)} is not one of backendHeaders`, rule)
      }
      if (seen.has(header)) throw this.#unusable(`the header ${header} is set twice`, rule)
      seen.add(header)
      if (typeof value === 'string' && isHeaderValue(value)) values[header] = value
    }
    if (!Object.isFrozen(set)) return { set: values, rule }
    // It cannot change: rules return the same object for each request of a caller.
    const outcome = { set: Object.freeze(values), rule }
    this.#outcomes.set(set, outcome)
    return outcome
  }

  #ask(caller: AuthenticatedCaller | undefined, request: IncomingRequest): Choice {
    const { chooseClient } = this.#options
    try {
      return chooseClient(caller, request)
    } catch (error) {
      if (!BrokerError.is(error)) throw this.#unusable('chooseClient threw an error', undefined, error)
      // For example an unclear path.
      if (error.code !== 'forbidden') throw error
      this.#options.denials.note(error.message, undefined)
      throw loggedRefusal(error)
    }
  }

  /** Callers decide how often it happens, so the line is sampled. */
  #unusable(problem: string, rule?: string, err?: unknown): BrokerError {
    const { sampler, logger } = this.#surroundings
    sampler.note('unusable_choice', count =>
      logger.error(
        { problem, rule, count, err, hint: 'correct what problem names, in the rule or in chooseClient' },
        'checks failed: chooseClient returned no usable choice',
      ),
    )
    return loggedRefusal(new BrokerError('server_error', 'internal error', { cause: err }))
  }
}
