import type { KeyObject } from 'node:crypto'

/** The minimum of RFC 7518 section 3.3, and the longest key that verifies in well under a millisecond. */
const rsaBits = { min: 2_048, max: 8_192 }
/** With exponent 1 anybody can forge a signature; 3 is legal. More than 31 bits only cost time; Go has the same limit. */
const rsaExponent = { min: 3n, max: 2n ** 31n - 1n }

/** Tells why an RSA key is not trusted; `undefined` for a trusted key and for other key types. */
export function rsaKeyProblem({ asymmetricKeyDetails = {} }: KeyObject): string | undefined {
  const { modulusLength, publicExponent } = asymmetricKeyDetails
  if (modulusLength === undefined || publicExponent === undefined) return undefined
  if (modulusLength < rsaBits.min || modulusLength > rsaBits.max) return 'it does not have 2048 to 8192 bits'
  if (publicExponent % 2n === 0n || publicExponent < rsaExponent.min || publicExponent > rsaExponent.max) {
    return 'its exponent is even, below 3 or beyond 31 bits'
  }
  return undefined
}
