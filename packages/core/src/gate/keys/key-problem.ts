import { createPublicKey, type KeyObject, type webcrypto } from 'node:crypto'
import { rsaKeyProblem } from '../../shared/rsa-key-problem.ts'

/** A member of a JWK set, as received. */
type Jwk = Readonly<Record<string, unknown>>

const curveOf: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }
const coordinateBytes: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 }
const noKey = 'its parameters are not a valid key'

/** The Edwards points whose order divides 8, without their sign bit: for such a key anybody can make a signature. */
const smallOrderPoints: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

/** The type of the keys of an algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1). */
function keyTypeOf(alg: string): 'EC' | 'OKP' | 'RSA' {
  if (alg.startsWith('ES')) return 'EC'
  return alg.startsWith('Ed') ? 'OKP' : 'RSA'
}

/**
 * Tells why the declarations of a JWK exclude it for a gate that verifies by some algorithms (RFC 7517 section 4); `undefined` when
 * they do not.
 */
export function declaredKeyProblem(jwk: Jwk, algorithms: readonly string[]): string | undefined {
  const { kty, crv, d, alg, use, key_ops: operations } = jwk
  const takesEdwards = algorithms.some(each => keyTypeOf(each) === 'OKP')
  if (kty !== 'RSA' && kty !== 'EC' && !(takesEdwards && kty === 'OKP'))
    return takesEdwards ? 'its type is not RSA, EC or OKP' : 'its type is not RSA or EC'
  if (kty === 'OKP' && crv !== 'Ed25519') return 'its curve is not Ed25519'
  if (kty === 'EC' && !(typeof crv === 'string' && Object.hasOwn(coordinateBytes, crv)))
    return 'its curve is not P-256, P-384 or P-521'
  if (d !== undefined) return 'it is a private key'
  if (use !== undefined && use !== 'sig') return use === 'enc' ? encryptionOnly : 'its use is not sig'
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'its key_ops do not list verify'
  }
  if (alg === undefined) return undefined
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    return `its alg is not one of ${algorithms.join(', ')}`
  }
  return kty === keyTypeOf(alg) && curveOf[alg] === (kty === 'EC' ? crv : undefined)
    ? undefined
    : 'its alg does not fit its type or curve'
}

/** Issuers publish such keys beside others on purpose, so that they are not a reason for a warning. */
export const encryptionOnly = 'it is for encryption'

/** Tells why the parameters of a declared key are not valid or not trusted; `undefined` when they are. */
export function keyNumbersProblem(jwk: Jwk): string | undefined {
  if (jwk['kty'] === 'EC') return hasCoordinates(jwk) ? undefined : noKey
  try {
    return publicKeyProblem(createPublicKey({ key: jwk as webcrypto.JsonWebKey, format: 'jwk' }))
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

/** Tells why an RSA or Ed25519 key is not trusted; `undefined` for a trusted key and for other key types. */
export function publicKeyProblem(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== 'ed25519') return rsaKeyProblem(key)
  return isOfSmallOrder(key) ? noKey : undefined
}

function isOfSmallOrder(key: KeyObject): boolean {
  const point = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
  point[31] = (point[31] ?? 0) & 0x7f
  return smallOrderPoints.has(point.toString('hex'))
}
