import { type ExchangeRequest, exchangeRequestOf } from '../clients/exchange-request.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import { assertKnownNames } from '../options/option-values.ts'
import { AllowList } from './allow-list.ts'
import { CallTokens, type TokenRequestFunction } from './call-tokens.ts'
import { checkedTokenRequest } from './checked-token-request.ts'
import { ResolvedProvider } from './resolved-provider.ts'
import type { TokenProvider } from './token-provider.ts'

const defaultMaxReplayBytes = 1024 * 1024

/** The names of all {@link OutgoingTokenOptions}, for the ways that take each of them. */
export const outgoingTokenOptions: readonly (keyof OutgoingTokenOptions)[] = [
  'allow',
  'token',
  'exchange',
  'ownAuthorization',
  'maxReplayBytes',
]

/** The options that decide which outgoing calls get which token. */
export interface OutgoingTokenOptions {
  /**
   * The origins to which tokens may be sent, with an optional path prefix: `https://api.example.com`,
   * `https://api.example.com/v1/`. At least one. Any other call is sent without a token.
   */
  readonly allow: readonly string[]
  /**
   * The token request, or a function of the URL of a call, which may be async. The function is called once for each call, and once
   * for each redirect that is followed. If it fails, the call fails and nothing is sent. Default: the token of the broker's configured
   * client.
   */
  readonly token?: TokenRequest | TokenRequestFunction | undefined
  /**
   * The token exchange whose token the calls get, on behalf of the user of its `subjectToken`; excludes `token`. Omit it for the
   * client's own token: `undefined` is a `TypeError`, because a user without a JWT must not get the client's token.
   */
  readonly exchange?: ExchangeRequest
  /**
   * The treatment of calls that already have the authorization header. `keep` sends them unchanged, `replace` replaces the header
   * with the broker's. Default: `keep`.
   */
  readonly ownAuthorization?: 'keep' | 'replace' | undefined
  /** The longest body to send again after a 401, in bytes; 0 sends only empty bodies again. Default: 1 MiB. */
  readonly maxReplayBytes?: number | undefined
}

/** Validates the option `exchange`; `undefined` without it. */
function exchangeIn(provider: ResolvedProvider, options: OutgoingTokenOptions): ExchangeRequest | undefined {
  if (!('exchange' in options)) return undefined
  if (options.token !== undefined) throw new TypeError('exchange must come without token')
  provider.assertCanExchange()
  return exchangeRequestOf(options.exchange, 'exchange')
}

/** Limit of origins outside `allow` that are logged, once each. */
const maxNotedOrigins = 100

/** The decisions about outgoing calls, shared by fetch, undici, axios and got. */
export class OutgoingTokens {
  readonly maxReplayBytes: number
  readonly #provider: ResolvedProvider
  readonly #allowList: AllowList
  readonly #request: TokenRequest | TokenRequestFunction
  readonly #exchange: ExchangeRequest | undefined
  readonly #keepsOwn: boolean
  readonly #allow: readonly string[]
  readonly #noted: Set<string> = new Set()

  /** `names` are the known options. Throws a `TypeError` that starts with the name of a wrong option. */
  constructor(provider: TokenProvider, options: OutgoingTokenOptions, names: readonly string[]) {
    const resolved = new ResolvedProvider(provider)
    if (typeof options !== 'object' || options === null)
      throw new TypeError('options must be an object with allow')
    assertKnownNames(options, names)
    const { token = {}, ownAuthorization = 'keep', maxReplayBytes = defaultMaxReplayBytes } = options
    if (ownAuthorization !== 'keep' && ownAuthorization !== 'replace') {
      throw new TypeError('ownAuthorization must be keep or replace')
    }
    if (!Number.isSafeInteger(maxReplayBytes) || maxReplayBytes < 0) {
      throw new TypeError('maxReplayBytes must be a whole number of bytes, 0 or more')
    }
    this.#provider = resolved
    this.#allowList = new AllowList(options.allow)
    this.#allow = [...options.allow]
    this.#exchange = exchangeIn(resolved, options)
    this.#request =
      typeof token === 'function' || this.#exchange !== undefined
        ? token
        : checkedTokenRequest(provider, token)
    this.#keepsOwn = ownAuthorization === 'keep'
    this.maxReplayBytes = maxReplayBytes
  }

  /** Tells whether a token may be sent to a URL; never to the broker's own endpoints. */
  mayGoTo(url: URL, path?: string): boolean {
    if (this.#provider.asksAt(url)) return false
    if (this.#allowList.includes(url, path)) return true
    this.#noteOutside(url)
    return false
  }

  /** Tells whether a call stays unchanged because it has the authorization header. */
  leaveAlone(hasHeader: (name: string) => boolean): boolean {
    return this.#keepsOwn && hasHeader(this.#provider.authorizationHeader)
  }

  /** Tells whether a body may be sent again, by its size in bytes; `undefined` for a stream. */
  isReplayable(bodySize: number | undefined): boolean {
    return bodySize !== undefined && bodySize <= this.maxReplayBytes
  }

  /** Returns the tokens of a call to a URL that {@link mayGoTo} admits. A redirect is another call. */
  forCall(url: URL): CallTokens {
    return new CallTokens(this.#provider, this.#exchange, this.#request, url)
  }

  /** Helps to find a mistake in `allow`. */
  #noteOutside({ origin }: URL): void {
    const { logger } = this.#provider
    if (logger === undefined || this.#noted.has(origin) || this.#noted.size >= maxNotedOrigins) return
    this.#noted.add(origin)
    logger.debug({ origin, allow: this.#allow }, 'call sent without a token: its origin is outside allow')
  }
}
