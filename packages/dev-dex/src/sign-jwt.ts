import type { SigningKey } from './signing-key.ts'

/** Changes to a JWT's header and signature, for tests of a verifier. */
export interface SignJwtOptions {
  /** `alg` in the header only; `'none'` leaves the signature empty. Default: the key's own. */
  readonly alg?: string
  /** `kid` in the header only. Default: the key's own; `null` leaves it out. */
  readonly kid?: string | null
  /** More header members, or replacements. */
  readonly header?: Readonly<Record<string, unknown>>
}

function base64urlJson(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/**
 * A compact JWS over any payload: an object becomes JSON, a string is taken as it is.
 *
 * Nothing is checked and nothing is added to the payload. Whatever the header says, the signature is
 * the key's own, so that a header that lies can be tested.
 */
export function signCompact(
  key: SigningKey,
  payload: object | string,
  { alg = key.algorithm, kid = key.kid, header = {} }: SignJwtOptions = {},
): string {
  const protectedHeader = { alg, ...(kid === null ? {} : { kid }), ...header }
  const signingInput = `${base64urlJson(protectedHeader)}.${base64urlJson(payload)}`
  return `${signingInput}.${protectedHeader.alg === 'none' ? '' : key.sign(signingInput)}`
}
