import { jwtHeader } from '../shared/jwt-header.ts'
import { lenientJwtPart } from '../shared/jwt-part.ts'

/** The issuer's key that signed a token. */
export interface SigningKey {
  readonly issuer: string
  readonly kid: string
}

/** Claims of an access token that is a JWT. Not verified, because the token comes from Dex itself. */
export interface JwtFacts {
  readonly signingKey: SigningKey | undefined
  /** Its `exp`, in milliseconds since the Unix epoch. */
  readonly expiresAt: number | undefined
}

export function jwtFactsOf(accessToken: string): JwtFacts {
  const [header = '', claims = ''] = accessToken.split('.', 2)
  const kid = jwtHeader(header)?.['kid']
  const { iss: issuer, exp } = lenientJwtPart(claims) ?? {}
  return {
    signingKey: typeof kid === 'string' && typeof issuer === 'string' ? sharedKey(issuer, kid) : undefined,
    expiresAt: typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined,
  }
}

/** A text for each key, unambiguous: issuers can use the same key id. */
export function nameOfKey({ issuer, kid }: SigningKey): string {
  return `${issuer.length}:${issuer}${kid}`
}

/** Limit of shared objects; issuers sign with few keys. */
const maxShared = 64
const shared = new Map<string, SigningKey>()

/** The same object for the tokens of one key, because each cached token keeps it. */
function sharedKey(issuer: string, kid: string): SigningKey {
  const key = { issuer, kid }
  const name = nameOfKey(key)
  const known = shared.get(name)
  if (known !== undefined) return known
  if (shared.size >= maxShared) shared.clear()
  shared.set(name, key)
  return key
}

/** The key that signed an access token; `undefined` when the token does not name it. */
export function signingKeyOf(accessToken: string): SigningKey | undefined {
  return jwtFactsOf(accessToken).signingKey
}
