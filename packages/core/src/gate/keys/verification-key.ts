import { KeyObject, verify } from 'node:crypto'
import { promisify } from 'node:util'
import type { CryptoKey } from 'jose'
import type { MaybePromise } from '../../shared/maybe-promise.ts'
import type { JwsSignature } from '../jwt/jwt.ts'
import { rsaKeyProblem } from './key-problem.ts'
import { VerificationPool } from './verification-pool.ts'

const digests: Readonly<Record<string, string>> = { 256: 'sha256', 384: 'sha384', 512: 'sha512' }

/** OpenSSL takes most of a millisecond for these and longer, which the event loop has not; for the others less than a tenth. */
const slowAlgorithms = new Set(['ES384', 'ES512'])
const verifyInThreadPool = promisify(verify)
/** One for the process, as is Node's thread pool, which has four threads: twice that keeps them busy. The queue is half a second of ES512. */
const pool = new VerificationPool({ maxRunning: 8, maxWaiting: 256 })

/** To make one costs half as much as a signature. jose imports a key once for each algorithm, and hands out the same object again. */
const verificationKeys = new WeakMap<CryptoKey, VerificationKey | undefined>()

/**
 * A public key and the one algorithm of RFC 7518 sections 3.3 and 3.4 that it is used for. That the key is one for this
 * algorithm is for the caller to see to.
 *
 * By `node:crypto`, because WebCrypto costs nearly twice the CPU time.
 */
export class VerificationKey {
  /** Whether a signature is verified so quickly that it can be done on this thread. */
  readonly #isQuick: boolean
  readonly #input: { readonly key: KeyObject; readonly dsaEncoding: 'ieee-p1363' }
  readonly #digest: string | undefined

  private constructor(key: KeyObject, alg: string) {
    this.#isQuick = !slowAlgorithms.has(alg)
    this.#input = { key, dsaEncoding: 'ieee-p1363' }
    this.#digest = digests[alg.slice(2)]
  }

  /** `undefined` for a key that is not trusted. */
  static of(cryptoKey: CryptoKey, alg: string): VerificationKey | undefined {
    if (verificationKeys.has(cryptoKey)) return verificationKeys.get(cryptoKey)
    const key = KeyObject.from(cryptoKey)
    const trusted = rsaKeyProblem(key) === undefined ? new VerificationKey(key, alg) : undefined
    verificationKeys.set(cryptoKey, trusted)
    return trusted
  }

  /** Whether the key made a signature. One that takes long is verified on another thread, and is `overloaded` when too many are. */
  hasSigned({ signingInput, signature }: JwsSignature): MaybePromise<boolean> {
    if (this.#isQuick) return verify(this.#digest, bytesOf(signingInput), this.#input, signature)
    // The bytes are made when it is its turn: a copy of a whole JWT.
    return pool.run(() => verifyInThreadPool(this.#digest, bytesOf(signingInput), this.#input, signature))
  }
}

function bytesOf(ascii: string): Buffer {
  return Buffer.from(ascii, 'latin1')
}
