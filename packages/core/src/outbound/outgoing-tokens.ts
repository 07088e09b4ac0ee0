import type { Broker } from '../broker.ts'
import { type ExchangeRequest, exchangeRequestOf } from '../clients/exchange-request.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import { assertKnownNames } from '../options/option-values.ts'
import type { Logger } from '../shared/logger.ts'
import type { MaybePromise } from '../shared/maybe-promise.ts'
import type { IssuedToken } from '../tokens/issued-token.ts'
import { AllowList } from './allow-list.ts'
import { checkedTokenRequest } from './checked-token-request.ts'
import { refusesToken } from './refuses-token.ts'

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
  /** The token request. Default: the token of the broker's configured client. */
  readonly token?: TokenRequest | undefined
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

/** The part of a broker that outgoing calls need. A `TokenBroker` of any installed copy of this package fits. */
export interface TokenProvider
  extends Pick<Broker, 'asksAt' | 'authorizationHeader' | 'invalidate' | 'peekToken' | 'tokenFor'>,
    Partial<Pick<Broker, 'exchange'>> {
  /** Receives a debug line for the first call to each origin outside `allow`. */
  readonly logger?: Pick<Logger, 'debug'> | undefined
}

/** Validates the option `exchange`; `undefined` without it. */
function exchangeIn(broker: TokenProvider, options: OutgoingTokenOptions): ExchangeRequest | undefined {
  if (!('exchange' in options)) return undefined
  if (options.token !== undefined) throw new TypeError('exchange must come without token')
  if (typeof broker.exchange !== 'function')
    throw new TypeError('exchange needs a broker with the method exchange')
  return exchangeRequestOf(options.exchange, 'exchange')
}

/** Limit of origins outside `allow` that are logged, once each. */
const maxNotedOrigins = 100

/** The decisions about outgoing calls, shared by fetch, undici, axios and got. */
export class OutgoingTokens {
  readonly maxReplayBytes: number
  readonly #broker: TokenProvider
  readonly #allowList: AllowList
  readonly #request: TokenRequest
  readonly #exchange: ExchangeRequest | undefined
  readonly #keepsOwn: boolean
  readonly #allow: readonly string[]
  readonly #noted: Set<string> = new Set()

  /** `names` are the known options. Throws a `TypeError` that starts with the name of a wrong option. */
  constructor(broker: TokenProvider, options: OutgoingTokenOptions, names: readonly string[]) {
    if (typeof broker?.tokenFor !== 'function') throw new TypeError('broker must be a TokenBroker')
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
    this.#broker = broker
    this.#allowList = new AllowList(options.allow)
    this.#allow = [...options.allow]
    this.#exchange = exchangeIn(broker, options)
    this.#request = this.#exchange === undefined ? checkedTokenRequest(broker, token) : {}
    this.#keepsOwn = ownAuthorization === 'keep'
    this.maxReplayBytes = maxReplayBytes
  }

  /** Tells whether a token may be sent to a URL; never to the broker's own endpoints. */
  mayGoTo(url: URL, path?: string): boolean {
    if (this.#broker.asksAt(url)) return false
    if (this.#allowList.includes(url, path)) return true
    this.#noteOutside(url)
    return false
  }

  /** Tells whether a call stays unchanged because it has the authorization header. */
  leaveAlone(hasHeader: (name: string) => boolean): boolean {
    return this.#keepsOwn && hasHeader(this.#broker.authorizationHeader)
  }

  get(signal: AbortSignal | undefined): MaybePromise<IssuedToken> {
    // The method exists where the option is used.
    if (this.#exchange !== undefined) return (this.#broker as Broker).exchange({ ...this.#exchange, signal })
    return this.#broker.tokenFor({ ...this.#request, signal })
  }

  /** Tells whether an answer refuses this token, so that a new one can help. */
  isRefusal(status: number, challenges: string | null): boolean {
    return refusesToken(status, challenges)
  }

  /** Tells whether a body may be sent again, by its size in bytes; `undefined` for a stream. */
  isReplayable(bodySize: number | undefined): boolean {
    return bodySize !== undefined && bodySize <= this.maxReplayBytes
  }

  /** Drops a token that a backend refused and requests a new one in the background. */
  drop(refused: IssuedToken): void {
    // The broker logs a failure, and the next call requests again.
    if (!this.#broker.invalidate(refused)) return
    const next = this.get(undefined)
    if (next instanceof Promise) next.catch(() => {})
  }

  /**
   * Replaces a token that a backend refused; `undefined` when there is no new token, for any reason. Rejects only with the
   * reason of the caller's own abort.
   */
  async replace(refused: IssuedToken, signal: AbortSignal | undefined): Promise<IssuedToken | undefined> {
    this.#broker.invalidate(refused)
    try {
      const token = await this.get(signal)
      return token.accessToken === refused.accessToken ? undefined : token
    } catch {
      if (signal?.aborted) throw signal.reason
      return undefined
    }
  }

  /** Helps to find a mistake in `allow`. */
  #noteOutside({ origin }: URL): void {
    const { logger } = this.#broker
    if (logger === undefined || this.#noted.has(origin) || this.#noted.size >= maxNotedOrigins) return
    this.#noted.add(origin)
    logger.debug({ origin, allow: this.#allow }, 'call sent without a token: its origin is outside allow')
  }
}
