import type { ClientAuthenticationMethod } from '../../clients/client-authentication.ts'
import type { TokenOrder } from '../../clients/token-order.ts'
import { asBrokerError } from '../../shared/as-broker-error.ts'
import type { BrokerError } from '../../shared/errors.ts'
import type { MaybePromise } from '../../shared/maybe-promise.ts'
import { RequestWithDeadline } from '../../shared/request-with-deadline.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import type { SpanContext } from '../../shared/tracer.ts'
import { waitFor } from '../../shared/wait-for.ts'
import type { CircuitStatus } from '../../status/circuit-status.ts'
import type { TokenEndpointStatus } from '../../status/issuer-status.ts'
import type { AcceptedClients } from '../accepted-clients.ts'
import { logTokenFailure } from '../log-token-failure.ts'
import { mustWait } from '../must-wait.ts'
import type { ObtainedToken, TokenOrigin } from '../token-origin.ts'
import { assertionByFunction } from './assertion-by-function.ts'
import type { CircuitClient, CircuitGroup, Circuits } from './circuits.ts'
import { HeldSlot } from './held-slot.ts'
import { isFailureOfDex } from './is-failure-of-dex.ts'
import type { RejectedCredentials } from './rejected-credentials.ts'
import { requestWithRetries } from './request-with-retries.ts'
import type { Applicant, Slots } from './slots.ts'
import { TokenEndpoint } from './token-endpoint.ts'
import { TokenSender } from './token-sender.ts'

/** Limit of token requests that wait for a slot. */
export const maxWaiting = 4_096

export interface DexOriginOptions {
  /** Returns the URL of the token endpoint, or a promise while discovery is under way. */
  readonly tokenEndpoint: (parent?: SpanContext) => MaybePromise<string>
  /** Returns the issuer, as the audience of assertions, or `undefined` while it is not known. Default: never known. */
  readonly issuer?: () => string | undefined
  readonly authMethod: ClientAuthenticationMethod
  /** Fields of the token response to keep, by their JSON names. */
  readonly wantedFields: readonly string[]
  readonly rejected: RejectedCredentials
  readonly accepted: AcceptedClients
  /** The option that holds the URL of the token endpoint. */
  readonly option: string
  readonly circuits: Circuits
  /** Limits the concurrent token requests. */
  readonly slots: Slots
}

type OnFirstFailure = (failure: BrokerError) => void

/** A request whose turn has come. */
interface TokenCall {
  readonly url: string
  readonly order: TokenOrder
  readonly client: CircuitClient
  readonly applicant: Applicant
  readonly onFirstFailure: OnFirstFailure
  readonly parent: SpanContext | undefined
}

/**
 * Obtains tokens from Dex. A request first waits for a slot; its deadline, which includes retries, starts after that. While
 * the circuit is open no request starts.
 */
export class DexOrigin implements TokenOrigin {
  readonly #surroundings: Surroundings
  readonly #options: DexOriginOptions
  readonly #sender: TokenSender
  readonly #slots: Slots
  readonly #circuits: Circuits

  constructor(surroundings: Surroundings, options: DexOriginOptions) {
    const { authMethod, wantedFields, option, circuits, slots } = options
    this.#surroundings = surroundings
    this.#options = options
    const endpoint = new TokenEndpoint(surroundings, { authMethod, wantedFields, option })
    this.#sender = new TokenSender(surroundings, endpoint)
    this.#slots = slots
    this.#circuits = circuits
  }

  status(): Omit<TokenEndpointStatus, 'url'> {
    return { circuits: this.#circuits.status(), ...this.#slots.status() }
  }

  /** The circuit of the client of an order alone; `undefined` while it has none. */
  circuitOf({ clientKey }: TokenOrder): CircuitStatus | undefined {
    return this.#circuits.statusOfClient(clientKey)
  }

  get responseFields(): readonly string[] {
    return this.#options.wantedFields
  }

  rejection(order: TokenOrder): BrokerError | undefined {
    return this.#options.rejected.get(order)
  }

  async obtain(
    order: TokenOrder,
    controller: AbortController,
    onFirstFailure: OnFirstFailure,
    parent?: SpanContext,
  ): Promise<ObtainedToken> {
    const { signal } = controller
    const isAccepted = this.#options.accepted.has(order)
    const { clientId, clientSecret } = order.credentials
    const client: CircuitClient = { key: order.clientKey, clientId, group: circuitGroupOf(order, isAccepted) }
    const applicant: Applicant = { client: applicantOf(order, isAccepted), isAccepted }
    this.#assertMayTry(client)
    // Discovery has its own pauses and log lines: retries and the circuit concern the token endpoint only.
    const url = await this.#options.tokenEndpoint(parent)
    const secret =
      typeof clientSecret === 'string' ? undefined : clientSecret.prepare(this.#surroundings.requestTimeoutMs)
    if (secret !== undefined) {
      // Before the slot, which the function of one client must not hold. Callers with a cached token do not wait for it.
      onFirstFailure(mustWait('the client credential'))
      await waitFor(secret, { signal }, () => mustWait('the client credential'))
    }
    const turn = this.#slots.enter(applicant, signal)
    if (turn !== undefined) {
      // Callers with a cached token do not wait for a slot.
      onFirstFailure(mustWait('a slot'))
      await turn
    }
    return await this.#request({ url, order, client, applicant, onFirstFailure, parent }, controller)
  }

  /** Sends the request with retries; the slot is taken for the first attempt. */
  #request(call: TokenCall, controller: AbortController): Promise<ObtainedToken> {
    const { order, client, onFirstFailure } = call
    const { requestTimeoutMs, random } = this.#surroundings
    const run = (signal: AbortSignal) =>
      requestWithRetries(attempt => this.#attempt(call, attempt, signal), {
        signal,
        random,
        onFailedAttempt: onFirstFailure,
        mayTryAgain: () => this.#circuits.retryAfterMs(client) === 0,
      })
    return new RequestWithDeadline(requestTimeoutMs, run, controller).settled.then(
      obtained => {
        this.#options.rejected.passed(order)
        return obtained
      },
      error => {
        const failure = asBrokerError(error, 'the token request failed')
        this.#takeNote(order, failure, controller.signal)
        throw failure
      },
    )
  }

  /** Makes one attempt and releases the slot, which the first attempt has. */
  async #attempt(call: TokenCall, number: number, signal: AbortSignal): Promise<ObtainedToken> {
    const { url, order, client, applicant, onFirstFailure, parent } = call
    if (number > 1) await this.#slots.enter(applicant, signal)
    const slot = new HeldSlot(this.#slots, applicant, this.#surroundings.clock)
    try {
      // Before the attempt, because a function that fails says nothing about Dex.
      const issuer = this.#options.issuer?.()
      const assertion = await assertionByFunction(
        { url, order, issuer, signal, timeoutMs: this.#surroundings.requestTimeoutMs },
        slot,
      )
      // A probe began earlier than this request, so it ends before this request's deadline.
      let attempt = this.#circuits.begin(client)
      if (attempt === undefined) {
        await this.#circuits.probe(client)
        attempt = this.#circuits.begin(client)
      }
      if (attempt === undefined) throw this.#circuits.refusal(client)
      return await this.#sender.send({ url, order, number, signal, parent, issuer, assertion }, attempt, {
        onRefusal: () => onFirstFailure(mustWait('another client credential')),
        waitForFunction: wait => slot.without(wait, signal),
      })
    } finally {
      slot.leave()
    }
  }

  /** Refuses before the wait for a slot when the circuit is open and no probe is under way that could close it. */
  #assertMayTry(client: CircuitClient): void {
    if (this.#circuits.retryAfterMs(client) > 0 && this.#circuits.probe(client) === undefined) {
      throw this.#circuits.refusal(client)
    }
  }

  #takeNote(order: TokenOrder, failure: BrokerError, signal: AbortSignal): void {
    if (isRejection(failure)) {
      // A secret that changed during the request has not been refused.
      if (failure.oauthError !== 'invalid_client' || isCurrent(order))
        this.#options.rejected.add(order, failure)
    } else if (isRefusalInFront(failure)) this.#options.rejected.addWhenRepeated(order, failure)
    // Neither requests that the open circuit refused nor the end of the broker are worth a line each.
    if (failure.code !== 'overloaded' && failure !== signal.reason) {
      logTokenFailure(this.#surroundings, order, failure)
    }
  }
}

function circuitGroupOf({ credentials }: TokenOrder, isAccepted: boolean): CircuitGroup {
  if (credentials.exchange !== undefined) return 'exchange'
  return isAccepted ? 'accepted' : 'unknown'
}

/**
 * Those who take turns for a slot. Users take turns with unknown clients, each by itself: all of them together leave half of the
 * slots to accepted clients.
 */
function applicantOf(order: TokenOrder, isAccepted: boolean): string {
  if (order.credentials.exchange !== undefined) return order.ownerKey
  // Unknown clients are identified by id alone, because secrets can be made up.
  return isAccepted ? order.clientKey : order.credentials.clientId
}

/** The next request would fail in the same way, until the credentials or the configuration change. */
function isRejection({ code, transient }: BrokerError): boolean {
  return (
    code === 'token_request_rejected' ||
    code === 'client_misconfigured' ||
    code === 'forbidden' ||
    (code === 'invalid_token_response' && !transient)
  )
}

/** A refusal that the next request may not meet, or that is caused by the request's content and stays. */
function isRefusalInFront(failure: BrokerError): boolean {
  return failure.transient && failure.upstreamStatus !== undefined && !isFailureOfDex(failure)
}

/** Whether the credentials of an order are the ones that Dex refused. */
function isCurrent({ credentials: { clientSecret } }: TokenOrder): boolean {
  return typeof clientSecret === 'string' || clientSecret.isRefused
}
