import { type InspectOptions, inspect } from 'node:util'
import type { Clock } from '../clock.ts'
import { isUsable, remainingMs, type TokenLife } from './token-life.ts'
import type { TokenResponse } from './token-response.ts'

/** How a token becomes outgoing headers; made by whoever knows header names. */
export type HeadersOfToken = (
  response: TokenResponse,
  remainingSeconds: () => number,
) => () => Readonly<Record<string, string>>

/**
 * An access token of Dex and what belongs to it.
 *
 * It hides the token from `util.inspect`, `JSON.stringify` and enumeration, so that logging the object logs no secret.
 */
export class IssuedToken {
  readonly #response: TokenResponse
  readonly #life: TokenLife
  readonly #clock: Clock
  readonly #headers: () => Readonly<Record<string, string>>

  constructor(response: TokenResponse, life: TokenLife, clock: Clock, headersOf: HeadersOfToken) {
    this.#response = response
    this.#life = life
    this.#clock = clock
    this.#headers = headersOf(response, () => Math.floor(remainingMs(life, clock) / 1000))
  }

  get accessToken(): string {
    return this.#response.accessToken
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
    return this.#headers()
  }

  /** The mapped fields of the token response that were present, by their JSON names, verbatim. */
  get fields(): Readonly<Record<string, string>> {
    return this.#response.fields
  }

  /** Whether its normal use is over: it is handed out because Dex cannot answer, and has not expired. */
  get stale(): boolean {
    return !isUsable(this.#life, this.#clock)
  }

  toJSON(): { tokenType: string; expiresAt: number; stale: boolean } {
    return { tokenType: this.tokenType, expiresAt: this.expiresAt, stale: this.stale }
  }

  static {
    // `inspect` with `showHidden` and `getters` would call the getters and show the token.
    Object.defineProperty(IssuedToken.prototype, inspect.custom, {
      value(this: IssuedToken, _depth: number, options: InspectOptions): string {
        return `IssuedToken ${inspect(this.toJSON(), options)}`
      },
    })
  }
}
