import { lenientJwtPart } from '../shared/jwt-part.ts'

/** The parts of a JWT that nobody has verified. */
export interface DecodedJwt {
  /** The JOSE header (RFC 7515 section 4). */
  readonly header: Readonly<Record<string, unknown>>
  /** The claims set (RFC 7519 section 4). */
  readonly claims: Readonly<Record<string, unknown>>
}

/** Decodes a compact JWS for people, whatever its algorithm and size; `undefined` for any other text. Proves nothing. */
export function decodeJwt(text: string): DecodedJwt | undefined {
  const parts = text.split('.')
  if (parts.length !== 3) return undefined
  const [header, claims] = parts.map(lenientJwtPart)
  return header && claims && { header, claims }
}
