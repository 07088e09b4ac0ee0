import { constants, KeyObject, type SigningOptions, verify } from 'node:crypto'
import type { CryptoKey } from 'jose'
import type { MaybePromise } from '../../shared/maybe-promise.ts'
import type { JwsSignature } from '../jwt/jwt.ts'
import { publicKeyProblem } from './key-problem.ts'
import { VerificationPool } from './verification-pool.ts'

const digests: Readonly<Record<string, string>> = { 256: 'sha256', 384: 'sha384', 512: 'sha512' }

/** OpenSSL takes half a millisecond or more for these, too long for the event loop; for the others a tenth with usual keys. */
const slowAlgorithms = new Set(['ES384', 'ES512'])
/** One per process, like Node's pool of four threads; twice as many verifications keep it busy. The queue is half a second of ES512. */
const pool = new VerificationPool({ maxRunning: 8, maxWaiting: 256 })

const ecdsa: SigningOptions = { dsaEncoding: 'ieee-p1363' }
/** RFC 7518 section 3.5: the salt is as long as the hash. OpenSSL would accept any length. */
const pss: SigningOptions = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
}

/** Creating one costs half as much as a verification. jose imports a key once per algorithm and returns the same object again. */
const verificationKeys = new WeakMap<CryptoKey, VerificationKey | undefined>()

/**
 * A public key for one algorithm of RFC 7518 sections 3.3 to 3.5 and RFC 8037 section 3.1. The caller ensures that they fit.
 *
 * Uses `node:crypto`, because WebCrypto takes nearly twice the CPU time.
 */
export class VerificationKey {
  /** Whether a verification is quick enough for the event loop. */
  readonly #isQuick: boolean
  readonly #input: SigningOptions & { readonly key: KeyObject }
  /** `undefined` for Ed25519, which has its own. */
  readonly #digest: string | undefined

  private constructor(key: KeyObject, alg: string) {
    this.#isQuick = !slowAlgorithms.has(alg)
    this.#input = { key, ...(alg.startsWith('PS') ? pss : ecdsa) }
    this.#digest = digests[alg.slice(2)]
  }

  /** Creates or reuses the key; `undefined` when it is not trusted. */
  static of(cryptoKey: CryptoKey, alg: string): VerificationKey | undefined {
    if (verificationKeys.has(cryptoKey)) return verificationKeys.get(cryptoKey)
    const key = KeyObject.from(cryptoKey)
    const trusted = publicKeyProblem(key) === undefined ? new VerificationKey(key, alg) : undefined
    verificationKeys.set(cryptoKey, trusted)
    return trusted
  }

  /** Verifies a signature, a slow one in Node's thread pool. Rejects with `overloaded` when its queue is full. */
  hasSigned({ signingInput, signature }: JwsSignature): MaybePromise<boolean> {
    if (this.#isQuick) return verify(this.#digest, bytesOf(signingInput), this.#input, signature)
    // The bytes are a copy of a whole JWT: they are created when the verification starts.
    return pool.run(() => this.#verifyInThreadPool(bytesOf(signingInput), signature))
  }

  #verifyInThreadPool(data: Buffer, signature: Uint8Array): Promise<boolean> {
    return new Promise((resolve, reject) => {
      verify(this.#digest, data, this.#input, signature, (error, signed) =>
        error === null ? resolve(signed) : reject(error),
      )
    })
  }
}

function bytesOf(ascii: string): Buffer {
  return Buffer.from(ascii, 'latin1')
}
