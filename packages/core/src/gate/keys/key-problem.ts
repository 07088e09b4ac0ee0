import { createPublicKey, type KeyObject, type webcrypto } from 'node:crypto'
import { allowedAlgorithms } from '../jwt/jwt.ts'

/** A member of a JWK set, as it was received. */
type Jwk = Readonly<Record<string, unknown>>

const curveOf: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }
const coordinateBytes: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 }
const noKey = 'its parameters are not a valid key'

/** RFC 7518 section 3.3; and the longest that is verified in well under a millisecond. */
const rsaBits = { min: 2_048, max: 8_192 }
/** With 1 a signature is the padded hash itself, which anybody can write down; 3 is legal. Beyond 31 bits, as in Go: it only costs. */
const rsaExponent = { min: 3n, max: 2n ** 31n - 1n }

/** Why a member of a JWK set says of itself that it is no key for the gate (RFC 7517 section 4); `undefined` when it may be one. */
export function declaredKeyProblem(jwk: Jwk): string | undefined {
  const { kty, crv, d, alg, use, key_ops: operations } = jwk
  if (kty !== 'RSA' && kty !== 'EC') return 'its type is not RSA or EC'
  if (kty === 'EC' && !Object.hasOwn(coordinateBytes, String(crv)))
    return 'its curve is not P-256, P-384 or P-521'
  if (d !== undefined) return 'it is a private key'
  if (use !== undefined && use !== 'sig') return use === 'enc' ? encryptionOnly : 'its use is not sig'
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'its key_ops do not list verify'
  }
  if (alg === undefined) return undefined
  if (typeof alg !== 'string' || !allowedAlgorithms.includes(alg)) {
    return `its alg is not one of ${allowedAlgorithms.join(', ')}`
  }
  return kty === (alg.startsWith('RS') ? 'RSA' : 'EC') && curveOf[alg] === (kty === 'EC' ? crv : undefined)
    ? undefined
    : 'its alg does not fit its type or curve'
}

/** Such keys are published beside others for good reason: not worth a warning. */
export const encryptionOnly = 'it is for encryption'

/** Why the numbers of a key that may be one by its own words make none that is trusted. */
export function keyNumbersProblem(jwk: Jwk): string | undefined {
  if (jwk['kty'] === 'EC') return hasCoordinates(jwk) ? undefined : noKey
  try {
    return rsaKeyProblem(createPublicKey({ key: jwk as webcrypto.JsonWebKey, format: 'jwk' }))
  } catch {
    return noKey
  }
}

/** RFC 7518 section 6.2.1. To import such a key takes up to milliseconds, so that its point is on the curve is seen when it is used. */
function hasCoordinates({ crv, x, y }: Jwk): boolean {
  const bytes = coordinateBytes[crv as string]
  return [x, y].every(
    coordinate => typeof coordinate === 'string' && Buffer.from(coordinate, 'base64url').length === bytes,
  )
}

/** Why an RSA key is not trusted; `undefined` for one that is, and for keys of another type. */
export function rsaKeyProblem({ asymmetricKeyDetails = {} }: KeyObject): string | undefined {
  const { modulusLength, publicExponent } = asymmetricKeyDetails
  if (modulusLength === undefined || publicExponent === undefined) return undefined
  if (modulusLength < rsaBits.min || modulusLength > rsaBits.max) return 'it does not have 2048 to 8192 bits'
  if (publicExponent % 2n === 0n || publicExponent < rsaExponent.min || publicExponent > rsaExponent.max) {
    return 'its exponent is even, below 3 or beyond 31 bits'
  }
  return undefined
}
