import type { InspectOptions, inspect } from 'node:util'
import { customInspect } from '../shared/custom-inspect.ts'
import { isHeaderValue } from '../shared/http/header-value.ts'
import type { IssuedToken } from '../tokens/issued-token.ts'
import type { ProvidedToken } from './token-provider.ts'

/**
 * Fills in the members that a provider's token lacks; a token with headers, as every broker's, is returned as it is. Throws a
 * `TypeError` for a value without an access token that a header can carry.
 */
export function completedToken(token: ProvidedToken, authorizationHeader: string): IssuedToken {
  if (typeof token?.headers === 'object' && token.headers !== null) return token as IssuedToken
  const accessToken: unknown = token?.accessToken
  // fetch would show the token in its error.
  if (typeof accessToken !== 'string' || !isHeaderValue(accessToken)) {
    throw new TypeError('getToken must resolve to an object with accessToken, a string in visible ASCII')
  }
  return new CompletedToken(token, authorizationHeader)
}

/** The token of a provider that knows no more than its access token. */
class CompletedToken implements IssuedToken {
  readonly tokenType = 'Bearer'
  readonly expiresAt: number
  readonly fields: Readonly<Record<string, string>>
  readonly stale: boolean
  readonly #accessToken: string
  readonly #headers: Readonly<Record<string, string>>

  constructor(
    { accessToken, expiresAt = Number.POSITIVE_INFINITY, fields = {}, stale = false }: ProvidedToken,
    authorizationHeader: string,
  ) {
    this.#accessToken = accessToken
    this.#headers = Object.freeze({ [authorizationHeader]: `Bearer ${accessToken}` })
    this.expiresAt = expiresAt
    this.fields = fields
    this.stale = stale
  }

  get accessToken(): string {
    return this.#accessToken
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#headers
  }

  toJSON(): { tokenType: string; expiresAt: number; stale: boolean } {
    return { tokenType: this.tokenType, expiresAt: this.expiresAt, stale: this.stale }
  }

  static {
    // `inspect` with `getters` would show the token.
    Object.defineProperty(CompletedToken.prototype, customInspect, {
      value(this: CompletedToken, _depth: number, options: InspectOptions, show: typeof inspect): string {
        return `IssuedToken ${show(this.toJSON(), options)}`
      },
    })
  }
}
