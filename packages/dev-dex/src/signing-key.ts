import { createHash, generateKeyPair, type KeyObject, randomBytes, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { exportJWK, type JWK } from 'jose'

/** Algorithms that Dex's own signer knows. */
export type SigningAlgorithm = 'RS256' | 'ES256'

/** A key pair with Dex's kind of key id: 40 random hexadecimal digits. */
export interface SigningKey {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly publicKey: KeyObject
  /** The public key as `/keys` shows it, members in Dex's order. */
  readonly jwk: JWK
  /** Signs a JWS signing input; gives the signature in base64url. */
  sign(signingInput: string): string
}

const generate = promisify(generateKeyPair)

async function generatePair(algorithm: SigningAlgorithm) {
  if (algorithm === 'ES256') return generate('ec', { namedCurve: 'P-256' })
  return generate('rsa', { modulusLength: 2048 })
}

/** Makes a new signing key: RSA of 2048 bits, or P-256. */
export async function generateSigningKey(algorithm: SigningAlgorithm): Promise<SigningKey> {
  const { publicKey, privateKey } = await generatePair(algorithm)
  const kid = randomBytes(20).toString('hex')
  const { kty, crv, x, y, n, e } = await exportJWK(publicKey)
  const jwk =
    algorithm === 'ES256'
      ? { use: 'sig', kty, kid, crv, alg: algorithm, x, y }
      : { use: 'sig', kty, kid, alg: algorithm, n, e }
  return {
    kid,
    algorithm,
    publicKey,
    jwk: jwk as JWK,
    sign: input =>
      sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString(
        'base64url',
      ),
  }
}

/** The `at_hash` of a token: the left half of its SHA-256, which both algorithms use. */
export function accessTokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')
}
