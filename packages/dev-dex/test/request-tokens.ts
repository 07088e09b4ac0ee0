import { compactVerify, createLocalJWKSet, decodeJwt } from 'jose'
import type { ConformanceIssuer } from './conformance-issuer.ts'
import { basic, sendRequest } from './send-request.ts'

export interface VerifiedToken {
  readonly jwt: string
  readonly header: Readonly<Record<string, unknown>>
  /** The payload byte for byte. */
  readonly payload: string
  readonly claims: Readonly<Record<string, unknown>>
}

/** Asks for tokens and verifies each against the issuer's published keys. */
export async function requestTokens(
  issuer: ConformanceIssuer,
  [clientId, clientSecret]: readonly [string, string],
  parameters: Readonly<Record<string, string>> = {},
): Promise<{ accessToken: VerifiedToken; idToken: VerifiedToken | undefined }> {
  const { body } = await sendRequest(issuer.tokenEndpoint, {
    headers: { authorization: basic(clientId, clientSecret) },
    body: { grant_type: 'client_credentials', ...parameters },
  })
  const { access_token: accessToken, id_token: idToken } = JSON.parse(body)
  return {
    accessToken: await verify(issuer, accessToken),
    idToken: idToken && (await verify(issuer, idToken)),
  }
}

async function verify(issuer: ConformanceIssuer, jwt: string): Promise<VerifiedToken> {
  const keys = createLocalJWKSet(JSON.parse((await sendRequest(issuer.jwksUri)).body))
  const { protectedHeader, payload } = await compactVerify(jwt, keys)
  return {
    jwt,
    header: protectedHeader,
    payload: Buffer.from(payload).toString('utf8'),
    claims: decodeJwt(jwt),
  }
}
