import type { TokenOrder } from '../clients/token-order.ts'
import type { Clock } from '../shared/clock.ts'
import { isSameValue } from '../shared/is-same-value.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import { BearerToken } from './bearer-token.ts'
import { type RefreshPolicy, RefreshSchedule } from './cache/refresh-schedule.ts'
import type { CachedToken } from './cache/token-cache.ts'
import { type LifeLimits, remainingMs, type TokenLife, tokenLife } from './cache/token-life.ts'
import { jwtFactsOf } from './signing-key.ts'
import { type TokenHeader, TokenHeaders } from './token-headers.ts'
import type { ObtainedToken } from './token-origin.ts'

/** The settings of new tokens. */
export interface TokenSettings {
  readonly headers: { readonly authorization: string; readonly mapped: readonly TokenHeader[] }
  readonly life: LifeLimits
  readonly refreshAheadRatio: number
}

/** Makes tokens of token responses, with their headers, life and refresh schedule. */
export class TokenMaker {
  readonly #clock: Clock
  readonly #settings: TokenSettings
  readonly #headers: TokenHeaders
  readonly #refreshPolicy: RefreshPolicy
  /** For exchanges: the token of a new exchange would end with the same subject token. */
  readonly #noRefreshAhead: RefreshPolicy

  constructor({ clock, random }: Surroundings, settings: TokenSettings) {
    const { headers, refreshAheadRatio: aheadRatio } = settings
    this.#clock = clock
    this.#settings = settings
    this.#headers = new TokenHeaders(headers.authorization, headers.mapped)
    this.#refreshPolicy = { aheadRatio, clock, random }
    this.#noRefreshAhead = { aheadRatio: 1, clock, random }
  }

  /** Tells whether the tokens of another one carry the same headers. */
  hasHeadersOf(other: TokenMaker): boolean {
    return this === other || isSameValue(this.#settings.headers, other.#settings.headers)
  }

  /** Returns the token of an order's response; `undefined` when it is expired already. */
  make(order: TokenOrder, obtained: ObtainedToken): CachedToken | undefined {
    const { response, requestedAt, mark } = obtained
    const { signingKey, life } = this.#judge(order, obtained)
    const clock = this.#clock
    if (remainingMs(life, clock) === 0) return undefined
    const token = new BearerToken({ response, life, key: order.key, clock, tokenHeaders: this.#headers })
    const isExchanged = order.credentials.exchange !== undefined
    const refresh = new RefreshSchedule(isExchanged ? this.#noRefreshAhead : this.#refreshPolicy, {
      from: requestedAt.monotonic,
      until: life.usableUntil,
    })
    return { token, life, refresh, mark, signingKey }
  }

  /** The life that the token of an order's response would have. */
  lifeOf(order: TokenOrder, obtained: ObtainedToken): TokenLife {
    return this.#judge(order, obtained).life
  }

  #judge({ credentials }: TokenOrder, { response, requestedAt }: ObtainedToken) {
    const { signingKey, expiresAt } = jwtFactsOf(response.accessToken)
    const { expiresIn: expiresInSeconds, answeredAt } = response
    const subjectExpiresAt = credentials.exchange?.subject.expiresAt
    const end = { expiresInSeconds, expiresAt, answeredAt, subjectExpiresAt }
    return { signingKey, life: tokenLife(requestedAt, end, this.#settings.life) }
  }
}
