import type { ClientCredentials } from '../../clients/client-credentials.ts'
import type { TokenOrder } from '../../clients/token-order.ts'
import { asBrokerError } from '../../shared/as-broker-error.ts'
import { momentOf } from '../../shared/clock.ts'
import { BrokerError } from '../../shared/errors.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import type { SpanContext } from '../../shared/tracer.ts'
import { upstreamRequest } from '../../shared/upstream-request.ts'
import type { ObtainedToken } from '../token-origin.ts'
import type { Attempt } from './circuits.ts'
import { ofConfigured } from './configured-client-failure.ts'
import { ofExchange } from './exchange-failure.ts'
import { isFailureOfDex } from './is-failure-of-dex.ts'
import { type RefusalHooks, requestWithSecret } from './request-with-secret.ts'
import type { TokenEndpoint } from './token-endpoint.ts'

export interface Sending {
  readonly url: string
  readonly order: TokenOrder
  /** The issuer of the token endpoint, if it is known: the audience of an assertion. */
  readonly issuer: string | undefined
  /** The assertion that a function has signed for this attempt. */
  readonly assertion?: string | undefined
  /** Number of the attempt, from 1. */
  readonly number: number
  readonly signal: AbortSignal
  /** The parent of the spans of its requests. */
  readonly parent: SpanContext | undefined
}

/** Sends the request of an order: once, or once per secret while a configured secret rotates. */
export class TokenSender {
  readonly #surroundings: Surroundings
  readonly #endpoint: TokenEndpoint

  constructor(surroundings: Surroundings, endpoint: TokenEndpoint) {
    this.#surroundings = surroundings
    this.#endpoint = endpoint
  }

  /**
   * Ends the attempt by the last outcome: the refusal of a secret before another one worked does not count.
   */
  async send(sending: Sending, attempt: Attempt, hooks: RefusalHooks): Promise<ObtainedToken> {
    try {
      const obtained = await this.#sendWithSecret(sending, hooks)
      attempt.succeeded()
      return obtained
    } catch (error) {
      // Closing the broker says nothing about Dex. A rejection by Dex is a success of the endpoint.
      if (error !== sending.signal.reason) {
        if (BrokerError.is(error) && isFailureOfDex(error)) attempt.failed(error)
        else attempt.succeeded()
      }
      throw error
    }
  }

  #sendWithSecret(sending: Sending, hooks: RefusalHooks): Promise<ObtainedToken> {
    const { clientId, clientSecret } = sending.order.credentials
    if (typeof clientSecret === 'string') return this.#request(sending, { clientSecret })
    const { requestTimeoutMs: timeoutMs } = this.#surroundings
    const { signal } = sending
    const send = async (secret: string) => this.#request(sending, await secretParts(sending, secret))
    return requestWithSecret(clientSecret, send, { clientId, signal, timeoutMs, ...hooks })
  }

  async #request(
    { url, order, number, signal, parent, assertion }: Sending,
    secret: SecretParts,
  ): Promise<ObtainedToken> {
    const { clock, observe, logger, requestTimeoutMs } = this.#surroundings
    const credentials = { ...order.credentials, assertion, ...secret }
    const requestedAt = momentOf(clock)
    const durationMs = () => clock.monotonic() - requestedAt.monotonic
    try {
      const response = await this.#endpoint.request({ url, credentials, attempt: number, signal, parent })
      observe({ type: 'token_request', outcome: 'issued', durationMs: durationMs() })
      const { client, clientId } = credentials
      logger.debug({ client, clientId, durationMs: Math.round(durationMs()) }, 'token issued')
      return { response, requestedAt, request: upstreamRequest(url, number, requestTimeoutMs) }
    } catch (error) {
      const failure = judged(order, asBrokerError(error, 'the token request failed'))
      observe({ type: 'token_request', outcome: failure.code, durationMs: durationMs() })
      throw failure
    }
  }
}

type SecretParts = Pick<ClientCredentials, 'clientSecret' | 'assertion'>

/** A private key signs and is not sent. Each request has its own assertion. */
async function secretParts({ url, order, issuer }: Sending, secret: string): Promise<SecretParts> {
  const { clientId, assertions } = order.credentials
  if (assertions === undefined) return { clientSecret: secret }
  const assertion = await assertions.signedWith(secret, { clientId, tokenEndpoint: url, issuer })
  return { clientSecret: '', assertion }
}

/** Decides who has to act: the caller, the operator or Dex. */
function judged(order: TokenOrder, failure: BrokerError): BrokerError {
  const { exchange } = order.credentials
  return exchange === undefined ? ofConfigured(order, failure) : ofExchange(order, exchange, failure)
}
