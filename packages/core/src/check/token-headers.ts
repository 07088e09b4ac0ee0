import type { HeadersOfToken } from '../tokens/issued-token.ts'

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

/**
 * Makes the outgoing headers of a token: the bearer header, and each mapped field that the response had.
 *
 * They are built once for each token, but for a mapped `expires_in`: a cached token has less life left than Dex said.
 */
export function headersOfToken(authorizationHeader: string, mapping: readonly TokenHeader[]): HeadersOfToken {
  return (response, remainingSeconds) => {
    const headers: Record<string, string> = { [authorizationHeader]: `Bearer ${response.accessToken}` }
    const lifeHeaders: string[] = []
    for (const { field, header } of mapping) {
      const value = response.fields[field]
      if (value === undefined) continue
      headers[header] = value
      if (field === 'expires_in') lifeHeaders.push(header)
    }
    Object.freeze(headers)
    if (lifeHeaders.length === 0) return () => headers
    return () => {
      const remaining = String(remainingSeconds())
      const current = { ...headers }
      for (const header of lifeHeaders) current[header] = remaining
      return Object.freeze(current)
    }
  }
}
