import { missingJwt } from './jwt/jwt-refusal.ts'

const bearerScheme = /^bearer +/i

/** The JWT in a header's value; `Bearer ` before it is optional, in any case. */
export function bearerJwt(value: string): string {
  const jwt = value.trim().replace(bearerScheme, '')
  if (jwt === '' || isScheme(jwt)) throw missingJwt()
  return jwt
}

/** Length first: the lower-case copy of a whole JWT is work for nothing. */
function isScheme(text: string): boolean {
  return text.length === 6 && text.toLowerCase() === 'bearer'
}
