import type { HeadersOfToken } from './issued-token.ts'

/** One field of the token response and the request header that carries it; the header in lower case. */
export interface TokenHeader {
  readonly field: string
  readonly header: string
}

const headerName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/

/** Headers that steer the connection or the message, or Envoy itself, or that the broker's own answer needs. */
const reservedHeaders = new Set([
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** A header name in lower case, or a `TypeError` that starts with the option's name. */
export function settableHeaderName(name: unknown, option: string): string {
  const lowerCase = typeof name === 'string' ? name.toLowerCase() : ''
  if (!headerName.test(lowerCase)) throw new TypeError(`${option} must be a header name`)
  if (reservedHeaders.has(lowerCase) || lowerCase.startsWith('x-envoy-')) {
    throw new TypeError(`${option} must not be ${lowerCase}, which has a meaning of its own`)
  }
  return lowerCase
}

/** Makes the outgoing headers of tokens: the bearer header, and each mapped field that the response had. */
export class TokenHeaders implements HeadersOfToken {
  readonly #authorizationHeader: string
  readonly #mapping: readonly TokenHeader[]
  readonly #lifeHeaders: readonly string[]

  constructor(authorizationHeader: string, mapping: readonly TokenHeader[]) {
    this.#authorizationHeader = authorizationHeader
    this.#mapping = mapping
    this.#lifeHeaders = mapping.filter(({ field }) => field === 'expires_in').map(({ header }) => header)
  }

  get tellLife(): boolean {
    return this.#lifeHeaders.length > 0
  }

  of(bearer: string, fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const headers: Record<string, string> = { [this.#authorizationHeader]: bearer }
    for (const { field, header } of this.#mapping) {
      const value = fields[field]
      if (value !== undefined) headers[header] = value
    }
    return Object.freeze(headers)
  }

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
