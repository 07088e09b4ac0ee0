import type { InspectOptions, inspect } from 'node:util'
import { customInspect } from '../shared/custom-inspect.ts'
import { isHeaderValue } from '../shared/http/header-value.ts'
import type { IssuedToken } from '../tokens/issued-token.ts'
import type { ProvidedToken } from './token-provider.ts'

/**
 * Fills in the members that a provider's token lacks; a token with headers, as every broker's, is returned as it is. Throws a
 * `TypeError` for a value without an access token that a header can carry, and for headers that would not be sent as they are.
 */
export function completedToken(token: ProvidedToken, authorizationHeader: string): IssuedToken {
  const headers: unknown = token?.headers
  if (headers !== undefined && headers !== null) {
    if (!areHeaders(headers)) {
      throw new TypeError(
        'headers of a token must be an object with at least one name in lower case, and strings',
      )
    }
    return token as IssuedToken
  }
  const accessToken: unknown = token?.accessToken
  // fetch would show the token in its error.
  if (typeof accessToken !== 'string' || !isHeaderValue(accessToken)) {
    throw new TypeError('getToken must resolve to an object with accessToken, a string in visible ASCII')
  }
  return new CompletedToken(token, authorizationHeader)
}

/** A call would be sent without the token by an empty object or a `Headers`. Runs for each call, so it allocates nothing. */
function areHeaders(headers: unknown): boolean {
  if (typeof headers !== 'object') return false
  let has = false
  for (const name in headers) {
    if (typeof (headers as Record<string, unknown>)[name] !== 'string' || name !== name.toLowerCase())
      return false
    has = true
  }
  return has
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
