import { KeyObject, verify } from 'node:crypto'
import { promisify } from 'node:util'
import type { CryptoKey } from 'jose'

/** RFC 7518 section 3.3. */
const minRsaBits = 2048

const digests: Readonly<Record<string, string>> = { 256: 'sha256', 384: 'sha384', 512: 'sha512' }

/** OpenSSL takes most of a millisecond for these and longer, which the event loop has not; for the others less than a tenth. */
const slowAlgorithms = new Set(['ES384', 'ES512'])
const verifyInThreadPool = promisify(verify)

/** The same key as `node:crypto` wants it; `undefined` for one that is too short to be trusted. */
const keyObjects = new WeakMap<CryptoKey, KeyObject | undefined>()

/**
 * Whether a key signed a compact JWS by an algorithm of RFC 7518 sections 3.3 and 3.4. That the key is one for this
 * algorithm is for the caller to see to.
 *
 * By `node:crypto` and, for what is quick, on this thread: WebCrypto costs nearly twice the CPU time.
 */
export async function isSignedBy(jwt: string, alg: string, cryptoKey: CryptoKey): Promise<boolean> {
  const key = keyObjectOf(cryptoKey)
  if (key === undefined) return false
  const end = jwt.lastIndexOf('.')
  const digest = digests[alg.slice(2)]
  const signed = Buffer.from(jwt.slice(0, end), 'latin1')
  const signature = Buffer.from(jwt.slice(end + 1), 'base64url')
  const input = { key, dsaEncoding: 'ieee-p1363' } as const
  return slowAlgorithms.has(alg)
    ? verifyInThreadPool(digest, signed, input, signature)
    : verify(digest, signed, input, signature)
}

function keyObjectOf(cryptoKey: CryptoKey): KeyObject | undefined {
  if (keyObjects.has(cryptoKey)) return keyObjects.get(cryptoKey)
  const keyObject = KeyObject.from(cryptoKey)
  const { modulusLength = minRsaBits } = keyObject.asymmetricKeyDetails ?? {}
  const trusted = modulusLength < minRsaBits ? undefined : keyObject
  keyObjects.set(cryptoKey, trusted)
  return trusted
}
