import type { Clock } from '../shared/clock.ts'
import { isSameValue } from '../shared/is-same-value.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import { BearerToken } from './bearer-token.ts'
import { type RefreshPolicy, RefreshSchedule } from './cache/refresh-schedule.ts'
import type { CachedToken } from './cache/token-cache.ts'
import { type LifeLimits, remainingMs, tokenLife } from './cache/token-life.ts'
import { jwtFactsOf, type SigningKey } from './signing-key.ts'
import { type TokenHeader, TokenHeaders } from './token-headers.ts'
import type { ObtainedToken } from './token-origin.ts'

/** The settings of new tokens. */
export interface TokenSettings {
  readonly headers: { readonly authorization: string; readonly mapped: readonly TokenHeader[] }
  readonly life: LifeLimits
  readonly refreshAheadRatio: number
}

export interface MadeToken {
  readonly cached: CachedToken
  readonly signingKey: SigningKey | undefined
}

/** Makes tokens of token responses, with their headers, life and refresh schedule. */
export class TokenMaker {
  readonly #clock: Clock
  readonly #settings: TokenSettings
  readonly #headers: TokenHeaders
  readonly #refreshPolicy: RefreshPolicy

  constructor({ clock, random }: Surroundings, settings: TokenSettings) {
    const { headers, refreshAheadRatio: aheadRatio } = settings
    this.#clock = clock
    this.#settings = settings
    this.#headers = new TokenHeaders(headers.authorization, headers.mapped)
    this.#refreshPolicy = { aheadRatio, clock, random }
  }

  /** Tells whether the tokens of another one carry the same headers. */
  hasHeadersOf(other: TokenMaker): boolean {
    return this === other || isSameValue(this.#settings.headers, other.#settings.headers)
  }

  /** Returns the token of a response; `undefined` when it is expired already. */
  make(key: string, { response, requestedAt }: ObtainedToken): MadeToken | undefined {
    const { signingKey, expiresAt } = jwtFactsOf(response.accessToken)
    const { expiresIn: expiresInSeconds, answeredAt } = response
    const life = tokenLife(requestedAt, { expiresInSeconds, expiresAt, answeredAt }, this.#settings.life)
    const clock = this.#clock
    if (remainingMs(life, clock) === 0) return undefined
    const token = new BearerToken({ response, life, key, clock, tokenHeaders: this.#headers })
    const refresh = new RefreshSchedule(this.#refreshPolicy, {
      from: requestedAt.monotonic,
      until: life.usableUntil,
    })
    return { cached: { token, life, refresh }, signingKey }
  }
}
