import { missingJwt } from './jwt/jwt-refusal.ts'

const bearerScheme = /^bearer +/i

/** Returns the JWT in a header value. The prefix `Bearer ` is optional, in any case. Throws `invalid_token` without a JWT. */
export function bearerJwt(value: string): string {
  const jwt = value.trim().replace(bearerScheme, '')
  if (jwt === '' || isScheme(jwt)) throw missingJwt()
  return jwt
}

/** Compares the length first, to avoid a lower-case copy of a whole JWT. */
function isScheme(text: string): boolean {
  return text.length === 6 && text.toLowerCase() === 'bearer'
}
