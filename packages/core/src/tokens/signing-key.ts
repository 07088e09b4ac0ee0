import { parseJsonObject } from '../shared/http/parse-json-object.ts'

/** Which key of which issuer signed a token. */
export interface SigningKey {
  readonly issuer: string
  readonly kid: string
}

/** What an access token says about itself when it is a JWT; nothing is verified, the token is Dex's own answer. */
export interface JwtFacts {
  readonly signingKey: SigningKey | undefined
  /** Its `exp`, in milliseconds since the Unix epoch. */
  readonly expiresAt: number | undefined
}

export function jwtFactsOf(accessToken: string): JwtFacts {
  const [header, claims] = accessToken.split('.', 2).map(decodedObject)
  const kid = header?.['kid']
  const { iss: issuer, exp } = claims ?? {}
  return {
    signingKey: typeof kid === 'string' && typeof issuer === 'string' ? { issuer, kid } : undefined,
    expiresAt: typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined,
  }
}

/** The key that signed an access token. */
export function signingKeyOf(accessToken: string): SigningKey | undefined {
  return jwtFactsOf(accessToken).signingKey
}

function decodedObject(part: string): Record<string, unknown> | undefined {
  return parseJsonObject(Buffer.from(part, 'base64url').toString('utf8'))
}
