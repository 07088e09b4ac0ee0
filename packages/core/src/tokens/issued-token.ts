import { type InspectOptions, inspect } from 'node:util'
import type { Clock } from '../shared/clock.ts'
import { isUsable, remainingMs, type TokenLife } from './cache/token-life.ts'
import type { TokenResponse } from './dex/token-response.ts'

/** How tokens become outgoing headers; by whoever knows header names. */
export interface HeadersOfToken {
  /** Whether some of them tell the life that a token has left: a cached token has less than Dex said. */
  readonly tellLife: boolean
  /** Built once for each token. */
  of(bearer: string, fields: Readonly<Record<string, string>>): Readonly<Record<string, string>>
  /** The same ones, with the life that is left. */
  withLife(
    headers: Readonly<Record<string, string>>,
    remainingSeconds: number,
  ): Readonly<Record<string, string>>
}

export interface IssuedTokenParts {
  readonly response: TokenResponse
  readonly life: TokenLife
  /** What the token is cached by. */
  readonly key: string
  readonly clock: Clock
  readonly headersOf: HeadersOfToken
}

/** What a token is, or was, cached by; `undefined` for anything else. */
export let cacheKeyOf: (token: IssuedToken) => string | undefined

const scheme = 'Bearer '

/**
 * An access token of Dex and what belongs to it.
 *
 * It hides the token from `util.inspect`, `JSON.stringify` and enumeration, so that logging the object logs no secret.
 */
export class IssuedToken {
  /** With the scheme: a token is a kilobyte, and a part of a string is no copy. */
  readonly #bearer: string
  readonly #fields: Readonly<Record<string, string>>
  readonly #life: TokenLife
  readonly #key: string
  readonly #clock: Clock
  readonly #headersOf: HeadersOfToken
  readonly #headers: Readonly<Record<string, string>>

  constructor({ response, life, key, clock, headersOf }: IssuedTokenParts) {
    this.#bearer = scheme + response.accessToken
    this.#fields = response.fields
    this.#life = life
    this.#key = key
    this.#clock = clock
    this.#headersOf = headersOf
    this.#headers = headersOf.of(this.#bearer, response.fields)
  }

  get accessToken(): string {
    return this.#bearer.slice(scheme.length)
  }

  /** Always `Bearer` (RFC 6750), whatever the case in which Dex spells it. */
  get tokenType(): 'Bearer' {
    return 'Bearer'
  }

  /** The true expiry, in milliseconds since the Unix epoch; the broker stops using the token earlier. */
  get expiresAt(): number {
    return this.#life.expiresAt
  }

  /** The authorization header and the mapped fields, ready to be set on a request; frozen. */
  get headers(): Readonly<Record<string, string>> {
    if (!this.#headersOf.tellLife) return this.#headers
    return this.#headersOf.withLife(this.#headers, Math.floor(remainingMs(this.#life, this.#clock) / 1000))
  }

  /** The mapped fields of the token response that were present, by their JSON names, verbatim. */
  get fields(): Readonly<Record<string, string>> {
    return this.#fields
  }

  /** Whether its normal use is over: it is handed out because Dex cannot answer, and has not expired. */
  get stale(): boolean {
    return !isUsable(this.#life, this.#clock)
  }

  toJSON(): { tokenType: string; expiresAt: number; stale: boolean } {
    return { tokenType: this.tokenType, expiresAt: this.expiresAt, stale: this.stale }
  }

  static {
    cacheKeyOf = token => (token instanceof IssuedToken ? token.#key : undefined)
    // `inspect` with `showHidden` and `getters` would call the getters and show the token.
    Object.defineProperty(IssuedToken.prototype, inspect.custom, {
      value(this: IssuedToken, _depth: number, options: InspectOptions): string {
        return `IssuedToken ${inspect(this.toJSON(), options)}`
      },
    })
  }
}
