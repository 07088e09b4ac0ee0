import type { InspectOptions, inspect } from 'node:util'
import type { Clock } from '../shared/clock.ts'
import { customInspect } from '../shared/custom-inspect.ts'
import { isUsable, remainingMs, type TokenLife } from './cache/token-life.ts'
import type { TokenResponse } from './dex/token-response.ts'
import type { IssuedToken } from './issued-token.ts'
import type { TokenHeaders } from './token-headers.ts'

export interface BearerTokenParts {
  readonly response: TokenResponse
  readonly life: TokenLife
  /** The cache key of the token. */
  readonly key: string
  readonly clock: Clock
  readonly tokenHeaders: TokenHeaders
}

/** Shared by all installed copies of this package. The value is a salted hash and reveals nothing. */
const cacheKey = Symbol.for('@broker/core/cacheKey')

const scheme = 'Bearer '

/** Returns the object that checks keep with a token; `undefined` without any. */
export let keptForChecks: (token: IssuedToken) => object | undefined
/** Keeps an object with a token. A `WeakMap` of 100,000 tokens would block the event loop for milliseconds when it grows. */
export let keepForChecks: (token: IssuedToken, kept: object) => void

/** An issued token as it is cached. */
export class BearerToken implements IssuedToken {
  /** With the scheme: a token is about a kilobyte, and V8 slices a string without a copy. */
  readonly #bearer: string
  readonly #fields: Readonly<Record<string, string>>
  readonly #life: TokenLife
  readonly #key: string
  readonly #clock: Clock
  readonly #tokenHeaders: TokenHeaders
  readonly #headers: Readonly<Record<string, string>>
  #kept: object | undefined

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
    keptForChecks = token => (#kept in token ? token.#kept : undefined)
    keepForChecks = (token, kept) => {
      if (#kept in token) token.#kept = kept
    }
    Object.defineProperty(BearerToken.prototype, cacheKey, {
      get(this: BearerToken): string {
        return this.#key
      },
    })
    // `inspect` with `showHidden` and `getters` would show the token.
    Object.defineProperty(BearerToken.prototype, customInspect, {
      value(this: BearerToken, _depth: number, options: InspectOptions, show: typeof inspect): string {
        return `IssuedToken ${show(this.toJSON(), options)}`
      },
    })
  }
}

/** The cache key of a token, also after its eviction; `undefined` for any other object. */
export function cacheKeyOf(token: object): string | undefined {
  return (token as { readonly [cacheKey]?: string })[cacheKey]
}
