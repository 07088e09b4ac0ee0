import { type CryptoKey, compactVerify, decodeProtectedHeader, type JWK, type KeyObject } from 'jose'

/** A public key to verify with. */
export interface VerificationKey {
  readonly kid?: string | undefined
  readonly key: CryptoKey | KeyObject | JWK
}

/** Claims of a verified payload; their types are whatever the signer put there. */
export type VerifiedClaims = { readonly [name: string]: unknown }

/** How far in the future go-oidc lets `nbf` be. */
const notBeforeLeewayMs = 5 * 60 * 1000

/** Whether a token is a JWS with one of the algorithms; its signature is not looked at. */
export function isSignedWith(algorithms: readonly string[], token: string): boolean {
  try {
    return algorithms.includes(decodeProtectedHeader(token).alg ?? '')
  } catch {
    return false
  }
}

/** The payload of a token that one of the keys signed; a `kid` in the header restricts the choice. */
export async function verifySignature(
  token: string,
  keys: readonly VerificationKey[],
  algorithms: readonly string[],
): Promise<string | undefined> {
  for (const { kid, key } of keys) {
    try {
      const { protectedHeader, payload } = await compactVerify(token, key, { algorithms: [...algorithms] })
      if (protectedHeader.kid && protectedHeader.kid !== kid) continue
      return Buffer.from(payload).toString('utf8')
    } catch {
      // Not signed by this key, or not a JWS at all: the next key may fit.
    }
  }
  return undefined
}

/** The claims of a payload that go-oidc finds good at this time; the audience is not looked at. */
export function readGoodClaims(payload: string, issuer: string, now: number): VerifiedClaims | undefined {
  const claims = parseObject(payload)
  const { iss, exp, nbf } = claims ?? {}
  if (iss !== issuer || typeof exp !== 'number' || exp * 1000 < now) return undefined
  if (typeof nbf === 'number' && nbf * 1000 > now + notBeforeLeewayMs) return undefined
  return claims
}

/** The object that a JSON text holds, or `undefined` for any other text. */
export function parseObject(json: string): VerifiedClaims | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? (value as VerifiedClaims) : undefined
  } catch {
    return undefined
  }
}
