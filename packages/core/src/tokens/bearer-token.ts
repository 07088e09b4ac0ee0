import { type InspectOptions, inspect } from 'node:util'
import type { Clock } from '../shared/clock.ts'
import { isUsable, remainingMs, type TokenLife } from './cache/token-life.ts'
import type { TokenResponse } from './dex/token-response.ts'
import type { IssuedToken } from './issued-token.ts'
import type { TokenHeaders } from './token-headers.ts'

export interface BearerTokenParts {
  readonly response: TokenResponse
  readonly life: TokenLife
  /** What the token is cached by. */
  readonly key: string
  readonly clock: Clock
  readonly tokenHeaders: TokenHeaders
}

/** Known to every installed copy of this package; what it names is a salted hash and tells nothing. */
const cacheKey = Symbol.for('@broker/core/cacheKey')

const scheme = 'Bearer '

/** An issued token as it is cached. */
export class BearerToken implements IssuedToken {
  /** With the scheme: a token is a kilobyte, and a part of a string is no copy. */
  readonly #bearer: string
  readonly #fields: Readonly<Record<string, string>>
  readonly #life: TokenLife
  readonly #key: string
  readonly #clock: Clock
  readonly #tokenHeaders: TokenHeaders
  readonly #headers: Readonly<Record<string, string>>

  constructor({ response, life, key, clock, tokenHeaders }: BearerTokenParts) {
    this.#bearer = scheme + response.accessToken
    this.#fields = response.fields
    this.#life = life
    this.#key = key
    this.#clock = clock
    this.#tokenHeaders = tokenHeaders
    this.#headers = tokenHeaders.of(this.#bearer, response.fields)
  }

  get accessToken(): string {
    return this.#bearer.slice(scheme.length)
  }

  get tokenType(): 'Bearer' {
    return 'Bearer'
  }

  get expiresAt(): number {
    return this.#life.expiresAt
  }

  get headers(): Readonly<Record<string, string>> {
    if (!this.#tokenHeaders.tellLife) return this.#headers
    return this.#tokenHeaders.withLife(this.#headers, Math.floor(remainingMs(this.#life, this.#clock) / 1000))
  }

  get fields(): Readonly<Record<string, string>> {
    return this.#fields
  }

  get stale(): boolean {
    return !isUsable(this.#life, this.#clock)
  }

  toJSON(): { tokenType: string; expiresAt: number; stale: boolean } {
    return { tokenType: this.tokenType, expiresAt: this.expiresAt, stale: this.stale }
  }

  static {
    Object.defineProperty(BearerToken.prototype, cacheKey, {
      get(this: BearerToken): string {
        return this.#key
      },
    })
    // `inspect` with `showHidden` and `getters` would call the getters and show the token.
    Object.defineProperty(BearerToken.prototype, inspect.custom, {
      value(this: BearerToken, _depth: number, options: InspectOptions): string {
        return `IssuedToken ${inspect(this.toJSON(), options)}`
      },
    })
  }
}

/** What a token is, or was, cached by; `undefined` for anything else. */
export function cacheKeyOf(token: object): string | undefined {
  return (token as { readonly [cacheKey]?: string })[cacheKey]
}
