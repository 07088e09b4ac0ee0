import { isUtf8 } from 'node:buffer'
import { parseJsonObject } from '../../shared/http/parse-json-object.ts'
import { assertIsProofOfCaller } from './assert-is-proof-of-caller.ts'
import { invalidJwt } from './jwt-refusal.ts'

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

/**
 * Takes a compact JWS apart and refuses, before any key is looked at, what no key could make acceptable: size, form,
 * algorithm, critical headers (RFC 7515 section 4.1.11), a JWT of another kind (RFC 8725 section 3.11).
 */
export function parseJwt(jwt: string): UnverifiedJwt {
  if (jwt.length > maxJwtLength) throw invalidJwt('malformed', 'it is larger than 16 KiB')
  const [, encodedHeader, encodedClaims, encodedSignature] = compactForm.exec(jwt) ?? []
  if (encodedHeader === undefined || encodedClaims === undefined || encodedSignature === undefined) {
    throw invalidJwt('malformed', 'it is not a compact JWS')
  }
  const signature = Buffer.from(encodedSignature, 'base64url')
  // The spare bits of the last character are not signed: if they did not count, a JWT would have several spellings.
  if (signature.toString('base64url') !== encodedSignature)
    throw invalidJwt('malformed', 'it is not a compact JWS')
  const header = decodedObject(encodedHeader, 'header')
  const claims = decodedObject(encodedClaims, 'claims set')
  const { alg, kid } = header
  if (typeof alg !== 'string' || !allowedAlgorithms.includes(alg)) {
    throw invalidJwt('algorithm', 'its alg is not allowed')
  }
  if (kid !== undefined && typeof kid !== 'string') throw invalidJwt('malformed', 'kid is not a string')
  if (header['crit'] !== undefined) throw invalidJwt('unsupported', 'it has critical headers (crit)')
  if (header['b64'] !== undefined) throw invalidJwt('unsupported', 'b64 is not allowed in a JWT')
  assertIsProofOfCaller(header['typ'], claims['events'])
  // A part of the JWT and not a new text: while a signature waits for its verification, there is one copy.
  const signingInput = jwt.slice(0, jwt.lastIndexOf('.'))
  return { header: { alg, kid }, claims, signingInput, signature }
}

/** RFC 7519 section 7.2: UTF-8. Bytes that are none would all become the same character, and two subjects one. */
function decodedObject(part: string, what: string): Record<string, unknown> {
  const bytes = Buffer.from(part, 'base64url')
  const object = isUtf8(bytes) ? parseJsonObject(bytes.toString('utf8')) : undefined
  if (object === undefined) throw invalidJwt('malformed', `the ${what} is not a JSON object`)
  return object
}
