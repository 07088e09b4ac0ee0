import type { Broker } from '../broker.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import { assertKnownNames } from '../options/option-values.ts'
import type { Logger } from '../shared/logger.ts'
import type { MaybePromise } from '../shared/maybe-promise.ts'
import type { IssuedToken } from '../tokens/issued-token.ts'
import { AllowList } from './allow-list.ts'
import { checkedTokenRequest } from './checked-token-request.ts'
import { refusesToken } from './refuses-token.ts'

const defaultMaxReplayBytes = 1024 * 1024

/** Which outgoing calls get a token, and which one. */
export interface OutgoingTokenOptions {
  /**
   * Where tokens may be sent: exact origins, each with a path prefix if wanted (`https://api.example.com`,
   * `https://api.example.com/v1/`). At least one. A call to any other place goes out as if there were no broker.
   */
  readonly allow: readonly string[]
  /** Which token. Default: that of the broker's own client. */
  readonly token?: TokenRequest | undefined
  /**
   * What happens to a call on which the caller set the bearer header itself: it goes out untouched (`keep`, the
   * default), or with the broker's headers in place of the caller's (`replace`).
   */
  readonly ownAuthorization?: 'keep' | 'replace' | undefined
  /** The longest body that is sent a second time after a 401, in bytes. Default 1 MiB; 0 sends none again. */
  readonly maxReplayBytes?: number | undefined
}

/** What outgoing calls need of a broker; a `TokenBroker` of any installed copy of this package has it. */
export interface TokenProvider
  extends Pick<Broker, 'asksAt' | 'authorizationHeader' | 'invalidate' | 'peekToken' | 'tokenFor'> {
  /** Told of calls outside `allow`, at debug. */
  readonly logger?: Pick<Logger, 'debug'> | undefined
}

/** Origins outside `allow` that are remembered, so that each is logged once; more are not logged. */
const maxNotedOrigins = 100

/** The decisions about outgoing calls that every way of making them shares. */
export class OutgoingTokens {
  readonly maxReplayBytes: number
  readonly #broker: TokenProvider
  readonly #allowList: AllowList
  readonly #request: TokenRequest
  readonly #keepsOwn: boolean
  readonly #allow: readonly string[]
  readonly #noted: Set<string> = new Set()

  /** `names`: the options there are. Throws a `TypeError` that starts with the name of the wrong option. */
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
    this.#request = checkedTokenRequest(broker, token)
    this.#keepsOwn = ownAuthorization === 'keep'
    this.maxReplayBytes = maxReplayBytes
  }

  /** Whether a token may be sent to a URL; never to the endpoints that the broker itself asks for tokens. */
  mayGoTo(url: URL, path?: string): boolean {
    if (this.#broker.asksAt(url)) return false
    if (this.#allowList.includes(url, path)) return true
    this.#noteOutside(url)
    return false
  }

  /** Whether a call is the caller's own affair, because the caller set the bearer header. */
  leaveAlone(hasHeader: (name: string) => boolean): boolean {
    return this.#keepsOwn && hasHeader(this.#broker.authorizationHeader)
  }

  get(signal: AbortSignal | undefined): MaybePromise<IssuedToken> {
    return this.#broker.tokenFor({ ...this.#request, signal })
  }

  /** Whether an answer means that the backend does not take this token, and may take another one. */
  isRefusal(status: number, challenges: string | null): boolean {
    return refusesToken(status, challenges)
  }

  /** Whether a body of a length in bytes, `undefined` for a stream, may be sent a second time. */
  isReplayable(bodySize: number | undefined): boolean {
    return bodySize !== undefined && bodySize <= this.maxReplayBytes
  }

  /** Drops a token that a backend refused and starts to fetch the next caller's. */
  drop(refused: IssuedToken): void {
    // A failure is logged where the request is made, and the next caller asks again.
    if (!this.#broker.invalidate(refused)) return
    const next = this.get(undefined)
    if (next instanceof Promise) next.catch(() => {})
  }

  /**
   * Another token instead of one that a backend refused; `undefined` when there is none, for whatever reason.
   * Rejects only with the reason of the caller's own abort.
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

  /** A call without a token is right or a mistake in `allow`; who looks for the mistake finds it. */
  #noteOutside({ origin }: URL): void {
    const { logger } = this.#broker
    if (logger === undefined || this.#noted.has(origin) || this.#noted.size >= maxNotedOrigins) return
    this.#noted.add(origin)
    logger.debug({ origin, allow: this.#allow }, 'call sent without a token: its origin is outside allow')
  }
}
