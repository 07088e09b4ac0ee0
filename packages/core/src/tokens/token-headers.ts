/** One field of the token response and the request header that carries it; the header in lower case. */
export interface TokenHeader {
  readonly field: string
  readonly header: string
}

/** Makes the outgoing headers of tokens: the bearer header, and each mapped field that the response had. */
export class TokenHeaders {
  readonly #authorizationHeader: string
  readonly #mapping: readonly TokenHeader[]
  readonly #lifeHeaders: readonly string[]

  constructor(authorizationHeader: string, mapping: readonly TokenHeader[]) {
    this.#authorizationHeader = authorizationHeader
    this.#mapping = mapping
    this.#lifeHeaders = mapping.filter(({ field }) => field === 'expires_in').map(({ header }) => header)
  }

  /** Whether some of them tell the life that a token has left: a cached token has less than Dex said. */
  get tellLife(): boolean {
    return this.#lifeHeaders.length > 0
  }

  /** Built once for each token. */
  of(bearer: string, fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const headers: Record<string, string> = { [this.#authorizationHeader]: bearer }
    for (const { field, header } of this.#mapping) {
      const value = fields[field]
      if (value !== undefined) headers[header] = value
    }
    return Object.freeze(headers)
  }

  /** The same ones, with the life that is left. */
  withLife(
    headers: Readonly<Record<string, string>>,
    remainingSeconds: number,
  ): Readonly<Record<string, string>> {
    const current = { ...headers }
    for (const header of this.#lifeHeaders) {
      if (Object.hasOwn(headers, header)) current[header] = String(remainingSeconds)
    }
    return Object.freeze(current)
  }
}
