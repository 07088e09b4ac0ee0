import { parseJsonObject } from '../shared/http/parse-json-object.ts'

/** Which key of which issuer signed a token. */
export interface SigningKey {
  readonly issuer: string
  readonly kid: string
}

/** The signing key that an access token names, when it is a JWT; nothing is verified, the token is Dex's own answer. */
export function signingKeyOf(accessToken: string): SigningKey | undefined {
  const [header, claims] = accessToken.split('.', 2).map(decodedObject)
  const kid = header?.['kid']
  const issuer = claims?.['iss']
  return typeof kid === 'string' && typeof issuer === 'string' ? { issuer, kid } : undefined
}

function decodedObject(part: string): Record<string, unknown> | undefined {
  return parseJsonObject(Buffer.from(part, 'base64url').toString('utf8'))
}
