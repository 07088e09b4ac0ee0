import type { Clients } from '../clients/clients.ts'
import type { TokenOrder } from '../clients/token-order.ts'
import type { AuthenticatedCaller } from '../gate/authenticated-caller.ts'
import type { Gate } from '../gate/gate.ts'
import type { ResolvedChoice } from '../options/resolve-choice.ts'
import { logContext } from '../shared/log-context.ts'
import { andThen, type MaybePromise } from '../shared/maybe-promise.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { Wait } from '../shared/wait-for.ts'
import type { TokenHeader } from '../tokens/token-headers.ts'
import type { Tokens } from '../tokens/tokens.ts'
import { AllowVerdicts } from './allow-verdicts.ts'
import { CallersCredentials } from './callers-credentials.ts'
import { noteCaller, noteClient, notePassing, noteToken } from './check-facts.ts'
import type { CheckRequest } from './check-request.ts'
import { CheckWait } from './check-wait.ts'
import { Choices } from './choices.ts'
import type { ExchangeChoice } from './choose-client.ts'
import {
  type CredentialHeaderNames,
  type CredentialHeaders,
  readCredentialHeaders,
  singleValue,
} from './credential-headers.ts'
import { credentialSchemes } from './credential-schemes.ts'
import { Denials } from './denials.ts'
import type { Exchanges } from './exchanges.ts'
import { assertHeaderLines } from './header-lines.ts'
import { ReceivedRequest } from './received-request.ts'
import { Refusals } from './refusals.ts'
import { RouteClients } from './route-clients.ts'
import type { RefusalVerdict, Verdict } from './verdict.ts'

export interface CheckOptions {
  readonly names: CredentialHeaderNames
  /** `undefined` admits every caller. */
  readonly gate: Gate | undefined
  /** The configured parts of the default client override the caller's headers, which are not read for them. */
  readonly clients: Clients
  readonly choice: ResolvedChoice
  readonly tokens: Tokens
  readonly exchanges: Exchanges
  /** The tokens of users. */
  readonly exchangedTokens: Tokens
  readonly authorizationHeader: string
  readonly tokenHeaders: readonly TokenHeader[]
  readonly stripCredentialHeaders: boolean
  /** The realm of challenges. */
  readonly realm: string
}

/** A request whose caller is known. */
interface AuthenticatedRequest {
  readonly request: CheckRequest
  readonly headers: CredentialHeaders
  readonly caller: AuthenticatedCaller | undefined
  readonly wait: Wait
}

/** Decides about requests in this order: gate, choice, client, token, headers, verdict. */
export class Check {
  readonly #surroundings: Surroundings
  readonly #options: CheckOptions
  readonly #credentials: CallersCredentials
  readonly #verdicts: AllowVerdicts
  readonly #denials: Denials
  readonly #refusals: Refusals
  /** `undefined` without rules. */
  readonly #choices: Choices | undefined
  #successor: Check | undefined
  /** `undefined` where routes choose no client. */
  readonly #routes: RouteClients | undefined

  constructor(surroundings: Surroundings, options: CheckOptions) {
    this.#surroundings = surroundings
    this.#options = options
    const { names, gate, clients, exchanges, choice, realm } = options
    const { chooseClient, routeClients, backendHeaders } = choice
    const { allowedClientIds: clientIds, allowedScopes: scopes } = choice
    this.#credentials = new CallersCredentials(surroundings, names, { clientIds, scopes })
    this.#verdicts = new AllowVerdicts({ ...options, hasGate: gate !== undefined, backendHeaders })
    this.#denials = new Denials(surroundings)
    const schemes = credentialSchemes(names, gate !== undefined)
    this.#refusals = new Refusals(surroundings, { realm, credentialSchemes: schemes })
    const denials = this.#denials
    const credentials = this.#credentials
    this.#choices =
      chooseClient &&
      new Choices(surroundings, { chooseClient, clients, exchanges, credentials, denials, backendHeaders })
    this.#routes = routeClients ? new RouteClients(surroundings, { clients, credentials }) : undefined
  }

  /**
   * Returns the verdict, without a promise when no wait is needed. Throws or rejects only with the reason of the caller's own
   * abort, and with `TypeError` for headers that are not header lines.
   */
  decide(request: CheckRequest): MaybePromise<Verdict> {
    assertHeaderLines(request.headers)
    const before = logContext.enter(request)
    try {
      const verdict = this.#decide(request)
      return verdict instanceof Promise ? this.#decideLater(verdict, request) : verdict
    } catch (error) {
      return this.#refusals.refuse(error, request)
    } finally {
      logContext.leave(before)
    }
  }

  /**
   * Leaves the requests that still wait for keys to another check, because tokens have other headers from now on: the headers to remove
   * belong to them.
   */
  leaveTo(successor: Check): void {
    this.#successor = successor
  }

  /** Returns the caller of a request. Throws or rejects with `BrokerError` or the reason of the caller's own abort. */
  authenticate(request: CheckRequest): MaybePromise<AuthenticatedCaller> {
    const { gate, names } = this.#options
    if (gate === undefined) throw new TypeError('authenticate needs the option gate or issuers')
    assertHeaderLines(request.headers)
    const headers = readCredentialHeaders(request.headers, names, request.joinedHeaders)
    return gate.authenticate(singleValue(headers.jwt, names.jwt), this.wait(request))
  }

  #decide(request: CheckRequest): MaybePromise<Verdict> {
    const { names, gate } = this.#options
    const headers = readCredentialHeaders(request.headers, names, request.joinedHeaders)
    const wait = this.wait(request)
    const caller = gate?.authenticate(singleValue(headers.jwt, names.jwt), wait)
    return caller instanceof Promise
      ? this.#serveLater(request, headers, caller, wait)
      : this.#serve(request, headers, caller, wait)
  }

  // Methods, because closures in the two methods above would cost every check, also one that does not wait.
  async #decideLater(verdict: Promise<Verdict>, request: CheckRequest): Promise<Verdict> {
    try {
      return await verdict
    } catch (error) {
      return this.#refuseLater(error, request)
    }
  }

  async #serveLater(
    request: CheckRequest,
    headers: CredentialHeaders,
    caller: Promise<AuthenticatedCaller>,
    wait: Wait,
  ): Promise<Verdict> {
    const known = await caller
    const before = logContext.enter(request)
    try {
      return this.#successor === undefined
        ? this.#serve(request, headers, known, wait)
        : this.#latest.decide(request)
    } finally {
      logContext.leave(before)
    }
  }

  #refuseLater(error: unknown, request: CheckRequest): RefusalVerdict {
    const before = logContext.enter(request)
    try {
      return this.#refusals.refuse(error, request)
    } finally {
      logContext.leave(before)
    }
  }

  get #latest(): Check {
    return this.#successor === undefined ? this : this.#successor.#latest
  }

  #serve(
    request: CheckRequest,
    headers: CredentialHeaders,
    caller: AuthenticatedCaller | undefined,
    wait: Wait,
  ): MaybePromise<Verdict> {
    const { facts } = request
    if (facts !== undefined && caller !== undefined) noteCaller(facts, caller)
    if (this.#choices !== undefined)
      return this.#serveChoice(this.#choices, { request, headers, caller, wait })
    const route = this.#routes?.choiceIn(request.context)
    const order = route && this.#routes ? this.#routes.order(route, headers) : this.#defaultOrder(headers)
    const token = this.#options.tokens.get(order, wait)
    if (token instanceof Promise) this.#refusals.waitsFor(request, order)
    if (facts !== undefined) {
      noteClient(facts, route?.client ?? 'default', order)
      noteToken(facts, token)
    }
    return andThen(token, this.#verdicts.ofToken)
  }

  #defaultOrder(headers: CredentialHeaders): TokenOrder {
    const client = this.#options.clients.default
    return client.order(this.#credentials.missingPartsOf(client.configured, headers))
  }

  #serveChoice(
    choices: Choices,
    { request, headers, caller, wait }: AuthenticatedRequest,
  ): MaybePromise<Verdict> {
    const { names, tokens, exchangedTokens } = this.#options
    const { facts } = request
    const choice = choices.choose(caller, new ReceivedRequest(request, names, this.#surroundings.clock))
    if (facts !== undefined && choice.rule !== undefined) facts.rule = choice.rule
    if ('deny' in choice) {
      const refusal = this.#refusals.answer(this.#denials.refuse(choice), request)
      return choice.rule === undefined ? refusal : { ...refusal, rule: choice.rule }
    }
    const outcome = choices.outcome(choice)
    if ('pass' in choice) {
      if (facts !== undefined && caller !== undefined) notePassing(facts, caller)
      return this.#verdicts.ofPassing(outcome)
    }
    const isExchange = 'exchange' in choice
    const order = isExchange ? exchangeOrder(choices, choice, caller) : choices.order(choice, headers)
    const token = (isExchange ? exchangedTokens : tokens).get(order, wait)
    if (token instanceof Promise) this.#refusals.waitsFor(request, order, choice.rule)
    if (facts !== undefined) {
      noteClient(facts, isExchange ? choice.exchange.client : choice.client, order)
      noteToken(facts, token)
    }
    return token instanceof Promise
      ? token.then(later => this.#verdicts.ofToken(later, outcome))
      : this.#verdicts.ofToken(token, outcome)
  }

  /** One deadline for all waits of a request. */
  wait(request: Pick<CheckRequest, 'signal' | 'timeoutMs' | 'span'>): Wait {
    const { requestTimeoutMs, clock } = this.#surroundings
    return new CheckWait(request, requestTimeoutMs, clock)
  }
}

function exchangeOrder(
  choices: Choices,
  choice: ExchangeChoice,
  caller: AuthenticatedCaller | undefined,
): TokenOrder {
  // `Choices` has refused an exchange without a caller.
  if (caller === undefined) throw new TypeError('an exchange needs a caller')
  return choices.exchangeOrder(choice, caller)
}
