import { BrokerError } from '../../shared/errors.ts'
import { parseJsonObject } from '../../shared/http/parse-json-object.ts'

/** The claims set of a JWT (RFC 7519 section 4). */
export type JwtClaims = Readonly<Record<string, unknown>>

export interface JwtHeader {
  readonly alg: string
  readonly kid: string | undefined
}

/** A signature and what it is over (RFC 7515 section 5.2). */
export interface JwsSignature {
  /** ASCII: the encoded header and claims set, as they were received. */
  readonly signingInput: string
  readonly signature: Buffer
}

/** A JWT taken apart and not verified yet. */
export interface UnverifiedJwt extends JwsSignature {
  readonly header: JwtHeader
  readonly claims: JwtClaims
}

/** Signatures by RSA (PKCS #1 v1.5) and ECDSA: all that Dex and its signers produce. Never `none`, never HMAC. */
export const allowedAlgorithms: string[] = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']

/** In characters, which are bytes here. */
export const maxJwtLength: number = 16 * 1024
const compactForm = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/

/** The one answer to every unacceptable JWT; what was wrong with it goes to the log, as the cause. */
export function invalidJwt(reason: string, cause?: unknown): BrokerError {
  return new BrokerError('invalid_token', 'the JWT is not acceptable', {
    cause: new Error(reason, { cause }),
  })
}

/**
 * Takes a compact JWS apart and refuses, before any key is looked at, what no key could make acceptable: size, form,
 * algorithm, critical headers (RFC 7515 section 4.1.11), an explicit type of another kind (RFC 8725 section 3.11).
 */
export function parseJwt(jwt: string): UnverifiedJwt {
  if (jwt.length > maxJwtLength) throw invalidJwt('larger than 16 KiB')
  const [, encodedHeader, encodedClaims, encodedSignature] = compactForm.exec(jwt) ?? []
  if (encodedHeader === undefined || encodedClaims === undefined || encodedSignature === undefined) {
    throw invalidJwt('not a compact JWS')
  }
  const signature = Buffer.from(encodedSignature, 'base64url')
  // The spare bits of the last character are not signed: if they did not count, a JWT would have several spellings.
  if (signature.toString('base64url') !== encodedSignature) throw invalidJwt('not a compact JWS')
  const header = decodedObject(encodedHeader, 'header')
  const claims = decodedObject(encodedClaims, 'claims set')
  const { alg, kid } = header
  if (typeof alg !== 'string' || !allowedAlgorithms.includes(alg)) throw invalidJwt('algorithm not allowed')
  if (kid !== undefined && typeof kid !== 'string') throw invalidJwt('kid is no string')
  if (header['crit'] !== undefined) throw invalidJwt('critical header not understood')
  if (header['b64'] !== undefined) throw invalidJwt('b64 is not allowed in a JWT')
  assertType(header['typ'])
  return { header: { alg, kid }, claims, signingInput: `${encodedHeader}.${encodedClaims}`, signature }
}

function assertType(typ: unknown): void {
  if (typ === undefined) return
  if (typeof typ !== 'string') throw invalidJwt('typ is no string')
  const type = typ.toLowerCase().replace(/^application\//, '')
  // A logout token or a security event is signed by the same keys, and is no proof of a caller.
  if (type.endsWith('+jwt') && type !== 'at+jwt') throw invalidJwt('a JWT of another kind')
}

function decodedObject(part: string, what: string): Record<string, unknown> {
  const object = parseJsonObject(Buffer.from(part, 'base64url').toString('utf8'))
  if (object === undefined) throw invalidJwt(`the ${what} is no JSON object`)
  return object
}
