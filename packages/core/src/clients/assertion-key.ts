// The whole module: a missing name in an old Node would fail before `assertNodeVersion` runs.
import * as crypto from 'node:crypto'
import { optionRules } from '../options/broker-options.ts'
import { parseJsonObject } from '../shared/http/parse-json-object.ts'
import { rsaKeyProblem } from '../shared/rsa-key-problem.ts'
import type { AssertionAlgorithm } from './client-authentication.ts'

const algorithmOfCurve: Readonly<Record<string, AssertionAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}
const rsaAlgorithms: readonly AssertionAlgorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

/** All algorithms; the first one that fits a key is its default. */
export const assertionAlgorithms: readonly AssertionAlgorithm[] = [
  ...rsaAlgorithms,
  ...Object.values(algorithmOfCurve),
  'EdDSA',
  'Ed25519',
]

/** The configuration of a key, which overrides `alg` of its JWK. */
export interface AssertionKeySettings {
  readonly algorithm?: AssertionAlgorithm | undefined
}

/** A private key that signs assertions. */
export class AssertionKey {
  readonly keyId: string | undefined
  readonly algorithm: AssertionAlgorithm
  readonly #key: crypto.KeyObject

  /** Takes PEM or a JWK. Throws a `TypeError` whose message follows the name of the key, and holds nothing of the key. */
  constructor(text: string, settings: AssertionKeySettings = {}) {
    const { key, alg, kid } = parsedKey(text)
    const fitting = algorithmsOf(key)
    const declared = fitting.find(each => each === alg)
    const algorithm = settings.algorithm ?? declared ?? fitting[0]
    if (algorithm === undefined)
      throw new TypeError('is not an RSA key, an EC key on P-256, P-384 or P-521, or an Ed25519 key')
    const rsaProblem = rsaKeyProblem(key)
    if (rsaProblem !== undefined) throw new TypeError(`is not usable: ${rsaProblem}`)
    if (!fitting.includes(algorithm)) {
      throw new TypeError(`does not fit the algorithm ${algorithm}; it fits ${fitting.join(', ')}`)
    }
    if (alg !== undefined && settings.algorithm === undefined && declared === undefined) {
      throw new TypeError(`has an alg that does not fit; it fits ${fitting.join(', ')}`)
    }
    this.#key = key
    this.algorithm = algorithm
    this.keyId = kid
  }

  /** Signs in Node's thread pool; the signature is in base64url. */
  async sign(signingInput: string): Promise<string> {
    const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = crypto.constants
    const pss = this.algorithm.startsWith('PS') && { padding, saltLength }
    // Ed25519 has its own digest.
    const digest = this.algorithm.startsWith('Ed') ? null : `sha${this.algorithm.slice(2)}`
    const input = { key: this.#key, dsaEncoding: 'ieee-p1363' as const, ...pss }
    const signature = await signInThreadPool(digest, Buffer.from(signingInput, 'latin1'), input)
    return signature.toString('base64url')
  }
}

/** An RSA signature takes OpenSSL about a millisecond, too long for the event loop. */
function signInThreadPool(
  digest: string | null,
  data: Buffer,
  key: crypto.SignKeyObjectInput,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    crypto.sign(digest, data, key, (error, signature) =>
      error === null ? resolve(signature) : reject(error),
    )
  })
}

/** The text of a key; `undefined` for a value that is neither a text nor a private `KeyObject`. */
export function keyTextOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (!(value instanceof crypto.KeyObject) || value.type !== 'private') return undefined
  return value.export({ format: 'pem', type: 'pkcs8' }).toString()
}

/**
 * Puts the `kid` into the text of a key, so that a previous key is sent with its own one during a rotation. A text that is not a key is
 * returned as it is, and refused later.
 */
export function withKeyId(text: string, keyId: string | undefined): string {
  if (keyId === undefined || text.length > optionRules['client.authentication.key'].maxLength) return text
  try {
    const jwk = parseJsonObject(text) ?? crypto.createPrivateKey(text).export({ format: 'jwk' })
    return JSON.stringify({ ...jwk, kid: keyId })
  } catch {
    return text
  }
}

/** Tells why a value cannot be the key of a client, in words that follow it; `undefined` when it can. */
export function assertionKeyProblem(value: unknown, settings: AssertionKeySettings): string | undefined {
  if (value instanceof crypto.KeyObject && value.type !== 'private') return `is a ${value.type} key`
  const text = keyTextOf(value)
  if (text === undefined) return 'is not a text or a KeyObject'
  if (text.trim() === '') return 'is empty'
  if (text.length > optionRules['client.authentication.key'].maxLength) return 'is too long'
  try {
    new AssertionKey(text, settings)
    return undefined
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
}

interface ParsedKey {
  readonly key: crypto.KeyObject
  readonly alg?: unknown
  readonly kid?: string | undefined
}

function parsedKey(text: string): ParsedKey {
  if (!text.trimStart().startsWith('{')) return { key: keyOfPem(text) }
  const jwk = parseJsonObject(text)
  if (jwk === undefined) throw new TypeError('is not a JWK')
  const { kty, d, alg, kid, keys, use } = jwk
  if (Array.isArray(keys)) throw new TypeError('is a set of keys; give one of them')
  if (kty === 'oct') throw new TypeError('is a symmetric key')
  if (d === undefined) throw new TypeError('is a public key')
  if (use !== undefined && use !== 'sig') throw new TypeError('is not for signatures: its use is not sig')
  if (
    kid !== undefined &&
    (typeof kid !== 'string' || kid.length > optionRules['client.authentication.keyId'].maxLength)
  )
    throw new TypeError('has an unusable kid')
  try {
    return {
      key: crypto.createPrivateKey({ key: jwk as crypto.webcrypto.JsonWebKey, format: 'jwk' }),
      alg,
      kid,
    }
  } catch {
    throw new TypeError('is not a private key')
  }
}

function keyOfPem(text: string): crypto.KeyObject {
  if (/-----BEGIN (?:(?:RSA |EC )?PUBLIC KEY|CERTIFICATE)-----/.test(text) && !text.includes('PRIVATE KEY'))
    throw new TypeError('is a public key')
  if (/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text))
    throw new TypeError('has a passphrase; remove it')
  try {
    return crypto.createPrivateKey(text)
  } catch {
    throw new TypeError('is not a private key in PEM or a JWK')
  }
}

function algorithmsOf({
  asymmetricKeyType,
  asymmetricKeyDetails,
}: crypto.KeyObject): readonly AssertionAlgorithm[] {
  if (asymmetricKeyType === 'rsa') return rsaAlgorithms
  if (asymmetricKeyType === 'ed25519') return ['EdDSA', 'Ed25519']
  const ofCurve = algorithmOfCurve[asymmetricKeyDetails?.namedCurve ?? '']
  return asymmetricKeyType === 'ec' && ofCurve !== undefined ? [ofCurve] : []
}
