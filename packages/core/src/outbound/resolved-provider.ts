import type { Broker } from '../broker.ts'
import { assertTokenRequest } from '../clients/assert-token-request.ts'
import type { ExchangeRequest } from '../clients/exchange-request.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import { optionRules } from '../options/broker-options.ts'
import type { Logger } from '../shared/logger.ts'
import type { MaybePromise } from '../shared/maybe-promise.ts'
import type { Wait } from '../shared/wait-for.ts'
import type { IssuedToken } from '../tokens/issued-token.ts'
import { completedToken } from './completed-token.ts'
import type { ProvidedToken, TokenProvider } from './token-provider.ts'

/** The credential headers of a broker with default options. */
const usualCredentialHeaders: readonly string[] = [
  optionRules['credentialHeaders.clientId'].default,
  optionRules['credentialHeaders.clientSecret'].default,
  optionRules['credentialHeaders.scope'].default,
  optionRules['gate.jwtHeader'].default,
]

/** The parts of a broker that outgoing calls use. */
type Resolved = Pick<
  Broker,
  | 'asksAt'
  | 'authorizationHeader'
  | 'credentialHeaders'
  | 'exchange'
  | 'invalidate'
  | 'tokenFor'
  | 'tokenHeaders'
>

/**
 * A token provider with a default for each member that it lacks: the only place for these. Reads the members at each call,
 * because a broker's headers change when it is reconfigured.
 */
export class ResolvedProvider implements Resolved {
  readonly #provider: TokenProvider

  /** Throws a `TypeError` for a value without `getToken`. */
  constructor(provider: TokenProvider) {
    if (typeof provider?.getToken !== 'function') {
      throw new TypeError('broker must be a TokenBroker, or an object with the method getToken')
    }
    this.#provider = provider
  }

  /** The header that carries `Bearer <token>`, in lower case. */
  get authorizationHeader(): string {
    return this.#provider.authorizationHeader ?? optionRules.authorizationHeader.default
  }

  /** The headers that a token can set, in lower case. */
  get tokenHeaders(): readonly string[] {
    return this.#provider.tokenHeaders ?? [this.authorizationHeader]
  }

  /** The request headers with a caller's credentials or JWT, in lower case. */
  get credentialHeaders(): readonly string[] {
    return this.#provider.credentialHeaders ?? usualCredentialHeaders
  }

  /** The log of the provider; `undefined` without one. */
  get logger(): Pick<Logger, 'debug'> | undefined {
    return this.#provider.logger
  }

  /** Throws a `TypeError` when the provider cannot exchange the token of a user. */
  assertCanExchange(): void {
    if (typeof this.#provider.exchange !== 'function') {
      throw new TypeError('exchange needs a broker with the method exchange')
    }
  }

  /** Tells whether a URL is an endpoint of the issuer; `false` by default. */
  asksAt(url: URL): boolean {
    return this.#provider.asksAt?.(url) ?? false
  }

  /** Drops a refused token and returns whether it was dropped; `false` by default. */
  invalidate(token: IssuedToken): boolean {
    return this.#provider.invalidate?.(token) ?? false
  }

  /** Returns a token with all members, without a promise where the provider can. */
  tokenFor(request: TokenRequest & Wait): MaybePromise<IssuedToken> {
    if (this.#provider.tokenFor === undefined) return this.#getToken(request)
    const token = this.#provider.tokenFor(request)
    return token instanceof Promise ? this.#completed(token) : completedToken(token, this.authorizationHeader)
  }

  /** Exchanges the token of a user. Rejects with a `TypeError` when the provider cannot. */
  async exchange(request: ExchangeRequest & Wait): Promise<IssuedToken> {
    this.assertCanExchange()
    return this.#completed((this.#provider as Broker).exchange(request))
  }

  async #getToken(request: TokenRequest & Wait): Promise<IssuedToken> {
    // A broker does it, and a mistake must not stay hidden behind a fake.
    assertTokenRequest(request)
    return this.#completed(this.#provider.getToken(request))
  }

  async #completed(token: PromiseLike<ProvidedToken>): Promise<IssuedToken> {
    return completedToken(await token, this.authorizationHeader)
  }
}
