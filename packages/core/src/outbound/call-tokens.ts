import type { ExchangeRequest } from '../clients/exchange-request.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import type { MaybePromise } from '../shared/maybe-promise.ts'
import { waitFor } from '../shared/wait-for.ts'
import type { IssuedToken } from '../tokens/issued-token.ts'
import type { ResolvedProvider } from './resolved-provider.ts'
import { tokenRequestOf } from './token-request-of.ts'

/** Chooses the token request of a call by its URL, of which it gets a copy; it may be async. */
export type TokenRequestFunction = (url: URL) => TokenRequest | PromiseLike<TokenRequest>

/** The tokens of one call: each attempt has the same token request. */
export class CallTokens {
  readonly #provider: ResolvedProvider
  readonly #exchange: ExchangeRequest | undefined
  readonly #request: TokenRequest | TokenRequestFunction
  readonly #url: URL
  #chosen: Promise<TokenRequest> | undefined

  constructor(
    provider: ResolvedProvider,
    exchange: ExchangeRequest | undefined,
    request: TokenRequest | TokenRequestFunction,
    url: URL,
  ) {
    this.#provider = provider
    this.#exchange = exchange
    this.#request = request
    this.#url = url
  }

  /** Returns a token, without a promise where the provider does. */
  get(signal: AbortSignal | undefined): MaybePromise<IssuedToken> {
    if (this.#exchange !== undefined) return this.#provider.exchange({ ...this.#exchange, signal })
    if (typeof this.#request === 'function') return this.#getChosen(this.#request, signal)
    return this.#provider.tokenFor({ ...this.#request, signal })
  }

  /** Drops a token that a backend refused and requests a new one in the background. */
  drop(refused: IssuedToken): void {
    // The broker logs a failure, and the next call requests again.
    if (!this.#provider.invalidate(refused)) return
    const next = this.get(undefined)
    if (next instanceof Promise) next.catch(() => {})
  }

  /**
   * Replaces a token that a backend refused; `undefined` when there is no new token, for any reason. Rejects only with the
   * reason of the caller's own abort.
   */
  async replace(refused: IssuedToken, signal: AbortSignal | undefined): Promise<IssuedToken | undefined> {
    this.#provider.invalidate(refused)
    try {
      const token = await this.get(signal)
      return token.accessToken === refused.accessToken ? undefined : token
    } catch {
      if (signal?.aborted) throw signal.reason
      return undefined
    }
  }

  async #getChosen(choose: TokenRequestFunction, signal: AbortSignal | undefined): Promise<IssuedToken> {
    this.#chosen ??= chosen(choose, this.#url)
    // Without a timeout, so that its error is never asked for.
    const request = await waitFor(this.#chosen, { signal }, Error)
    return this.#provider.tokenFor({ ...request, signal })
  }
}

async function chosen(choose: TokenRequestFunction, url: URL): Promise<TokenRequest> {
  // A copy, because the URL that was judged is the URL that is sent.
  return tokenRequestOf(await choose(new URL(url)), 'token must return a token request')
}
