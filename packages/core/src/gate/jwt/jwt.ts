import { jwtHeader } from '../../shared/jwt-header.ts'
import { jwtPart } from '../../shared/jwt-part.ts'
import { assertIsProofOfCaller } from './assert-is-proof-of-caller.ts'
import { invalidJwt } from './jwt-refusal.ts'

/** The claims of a verified JWT (RFC 7519 section 4), by name. Frozen, nested values included. */
export type JwtClaims = Readonly<Record<string, unknown>>

export interface JwtHeader {
  readonly alg: string
  readonly kid: string | undefined
}

/** A signature and its input (RFC 7515 section 5.2). */
export interface JwsSignature {
  /** ASCII: the encoded header and claims, as received. */
  readonly signingInput: string
  readonly signature: Buffer
}

/** A parsed JWT that is not verified yet. */
export interface UnverifiedJwt extends JwsSignature {
  readonly header: JwtHeader
  readonly claims: JwtClaims
}

/** In characters, which are bytes in a JWT. */
export const maxJwtLength: number = 16 * 1024
const compactForm = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/

/**
 * Parses a compact JWS. Refuses by size, form, algorithm, critical headers (RFC 7515 section 4.1.11) and kind (RFC 8725
 * section 3.11), before any key is needed. `algorithms` has what any issuer accepts; each issuer can accept less.
 */
export function parseJwt(jwt: string, algorithms: readonly string[]): UnverifiedJwt {
  const [encodedHeader, encodedClaims, encodedSignature] = partsOf(jwt)
  const signature = Buffer.from(encodedSignature, 'base64url')
  // The spare bits of the last character are not signed: without this check a JWT would have several spellings.
  if (signature.toString('base64url') !== encodedSignature)
    throw invalidJwt('malformed', 'it is not a compact JWS')
  const header = assertObject(jwtHeader(encodedHeader), 'header')
  const claims = assertObject(jwtPart(encodedClaims), 'claims set')
  const { alg, kid } = header
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    throw invalidJwt('algorithm', 'its alg is not allowed')
  }
  if (kid !== undefined && typeof kid !== 'string') throw invalidJwt('malformed', 'kid is not a string')
  if (header['crit'] !== undefined) throw invalidJwt('unsupported', 'it has critical headers (crit)')
  if (header['b64'] !== undefined) throw invalidJwt('unsupported', 'b64 is not allowed in a JWT')
  assertIsProofOfCaller(header['typ'], claims['events'])
  // A slice of the JWT, not a copy, because a signature can wait for its verification.
  const signingInput = jwt.slice(0, jwt.lastIndexOf('.'))
  return { header: { alg, kid }, claims, signingInput, signature }
}

/** The claims of a JWT that another server verifies. Judges its size and form only. */
export function unverifiedClaims(jwt: string): JwtClaims {
  return assertObject(jwtPart(partsOf(jwt)[1]), 'claims set')
}

function partsOf(jwt: string): readonly [header: string, claims: string, signature: string] {
  if (jwt.length > maxJwtLength) throw invalidJwt('malformed', 'it is larger than 16 KiB')
  const [, header, claims, signature] = compactForm.exec(jwt) ?? []
  if (header === undefined || claims === undefined || signature === undefined) {
    throw invalidJwt('malformed', 'it is not a compact JWS')
  }
  return [header, claims, signature]
}

function assertObject<Part>(part: Part | undefined, what: string): Part {
  if (part === undefined) throw invalidJwt('malformed', `the ${what} is not a JSON object`)
  return part
}
