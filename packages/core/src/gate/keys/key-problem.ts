import { createPublicKey, type webcrypto } from 'node:crypto'
import { rsaKeyProblem } from '../../shared/rsa-key-problem.ts'
import { allowedAlgorithms } from '../jwt/jwt.ts'

/** A member of a JWK set, as received. */
type Jwk = Readonly<Record<string, unknown>>

const curveOf: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }
const coordinateBytes: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 }
const noKey = 'its parameters are not a valid key'

/** Tells why the declarations of a JWK exclude it for the gate (RFC 7517 section 4); `undefined` when they do not. */
export function declaredKeyProblem(jwk: Jwk): string | undefined {
  const { kty, crv, d, alg, use, key_ops: operations } = jwk
  if (kty !== 'RSA' && kty !== 'EC') return 'its type is not RSA or EC'
  if (kty === 'EC' && !(typeof crv === 'string' && Object.hasOwn(coordinateBytes, crv)))
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

/** Issuers publish such keys beside others on purpose, so that they are not a reason for a warning. */
export const encryptionOnly = 'it is for encryption'

/** Tells why the parameters of a declared key are not valid or not trusted; `undefined` when they are. */
export function keyNumbersProblem(jwk: Jwk): string | undefined {
  if (jwk['kty'] === 'EC') return hasCoordinates(jwk) ? undefined : noKey
  try {
    return rsaKeyProblem(createPublicKey({ key: jwk as webcrypto.JsonWebKey, format: 'jwk' }))
  } catch {
    return noKey
  }
}

/** RFC 7518 section 6.2.1. Importing an EC key takes up to milliseconds, so that its point is checked at first use. */
function hasCoordinates({ crv, x, y }: Jwk): boolean {
  const bytes = coordinateBytes[crv as string]
  return [x, y].every(
    coordinate => typeof coordinate === 'string' && Buffer.from(coordinate, 'base64url').length === bytes,
  )
}
