import type { TokenOrder } from '../clients/token-order.ts'
import { asBrokerError } from '../shared/as-broker-error.ts'
import { brokerClosed } from '../shared/broker-closed.ts'
import type { BrokerError } from '../shared/errors.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { Topic } from '../shared/topic.ts'
import type { SpanContext } from '../shared/tracer.ts'
import { deadOnArrival } from './dead-on-arrival.ts'
import { endsToken } from './is-outlived.ts'
import type { IssuedToken } from './issued-token.ts'
import { logTokenFailure } from './log-token-failure.ts'
import type { SharedOrigin } from './shared-store/shared-origin.ts'
import type { SigningKey } from './signing-key.ts'
import type { TokenMaker } from './token-maker.ts'
import type { ObtainedToken } from './token-origin.ts'
import type { TokensOptions } from './tokens-options.ts'

/** A request for a token with what it began with. */
export interface TokenWork {
  readonly order: TokenOrder
  readonly origin: SharedOrigin
  readonly maker: TokenMaker
  readonly parent: SpanContext | undefined
}

/** The state of `Tokens` that can change while a token is obtained. */
export interface CurrentTokens {
  /** Makes the new tokens. */
  readonly maker: TokenMaker
  readonly isClosed: boolean
  /** Publishes the signing key of each new token that is a JWT, with the name of the issuer that it comes from. */
  readonly signedWith: Topic<SigningKey & { readonly source: string }>
}

/** Obtains tokens from their origins and caches them. */
export class TokenSupply {
  readonly #surroundings: Surroundings
  readonly #options: TokensOptions
  readonly #current: CurrentTokens

  constructor(surroundings: Surroundings, options: TokensOptions, current: CurrentTokens) {
    this.#surroundings = surroundings
    this.#options = options
    this.#current = current
  }

  /** Obtains the token of an order and caches it. Rejects with the `BrokerError` that is logged and noted. */
  async obtain(
    work: TokenWork,
    controller: AbortController,
    onFirstFailure: (failure: BrokerError) => void,
  ): Promise<IssuedToken> {
    const { order, origin, maker, parent } = work
    const { cache, records } = this.#options
    const lifeOf = (obtained: ObtainedToken) => maker.lifeOf(order, obtained)
    try {
      const obtain = () =>
        origin.obtain({ order, replaced: cache.find(order.key), lifeOf, controller, onFirstFailure, parent })
      // A cache in front of Dex can repeat a token until its end, and another replica can drop it on its way: one more attempt.
      const early = await obtain()
      const first = records.isDropped(early) ? undefined : this.#keep(work, early)
      if (first !== undefined) return first
      // No time is left after a transport that ignored the deadline.
      const obtained = controller.signal.aborted ? early : await obtain()
      const second = this.#keep(work, obtained)
      if (second !== undefined) return second
      const failure = deadOnArrival(obtained.request)
      logTokenFailure(this.#surroundings, order, failure)
      throw failure
    } catch (error) {
      const failure = asBrokerError(error, 'the token request failed')
      // The origin has logged its own failures.
      if (failure !== error) logTokenFailure(this.#surroundings, order, failure)
      this.#takeNote(order, failure)
      throw failure
    }
  }

  /** Caches a token and returns it; `undefined` when it is expired already. */
  #keep({ order, maker }: TokenWork, obtained: ObtainedToken): IssuedToken | undefined {
    const { cache, accepted, records } = this.#options
    const cached = maker.make(order, obtained)
    if (cached === undefined) return undefined
    accepted.add(order)
    this.#options.histories.issued(order)
    if (this.#current.isClosed) throw brokerClosed('token_endpoint_unavailable')
    // With old headers, or dropped by now, it is for the callers that wait for it, and for nobody else.
    if (!maker.hasHeadersOf(this.#current.maker) || records.isDropped(obtained)) return cached.token
    cache.set(order, cached)
    const { signingKey } = cached
    if (signingKey !== undefined)
      this.#current.signedWith.publish({ ...signingKey, source: order.issuer.name })
    return cached.token
  }

  #takeNote(order: TokenOrder, failure: BrokerError): void {
    const { cache, accepted, histories } = this.#options
    if (!this.#current.isClosed) histories.failed(order, failure)
    if (endsToken(order, failure)) {
      cache.delete(order.key)
      accepted.delete(order)
    } else {
      cache.find(order.key)?.refresh.failed(failure)
    }
  }
}
