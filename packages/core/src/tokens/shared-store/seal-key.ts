import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { readTokenRecord, type TokenRecord, tokenRecordText } from './token-record.ts'

// A sealed record: version, key id, salt, nonce, ciphertext, tag.
const version = 1
const keyLength = 32
const idLength = 8
const saltLength = 16
const nonceLength = 12
const tagLength = 16
const saltStart = 1 + idLength
const nonceStart = saltStart + saltLength
const ciphertextStart = nonceStart + nonceLength
const cipher = 'aes-256-gcm'

/** The longest sealed record, in bytes: an access token of 60 KiB whose every character JSON escapes, and room for names of fields. */
export const maxSealedLength: number = 256 * 1024

/** 32 bytes; each alphabet by itself, because no encoder mixes them. The last character has four bits of the key, and two zero bits. */
const base64 = /^(?:[A-Za-z0-9+/]{42}|[A-Za-z0-9_-]{42})[AEIMQUYcgkosw048]=?$/

/**
 * A key of a shared store, from which HKDF (RFC 5869) derives one key for names and one for each sealed record.
 *
 * A record is encrypted with AES-256-GCM. Its own key, from a random salt, makes the limit of random nonces one for each record.
 * The tag covers version, key id, name and fence as well, so that a record opens nowhere else.
 */
export class SealKey {
  /** Names the key in what it has sealed; reveals nothing about it. */
  readonly id: Buffer
  readonly namingKey: KeyObject
  readonly #key: KeyObject

  constructor(text: string, option: string) {
    if (typeof text !== 'string' || !base64.test(text))
      throw new TypeError(`${option} must be 32 bytes in base64`)
    this.#key = createSecretKey(Buffer.from(text, 'base64'))
    this.id = this.#derive('key id', Buffer.alloc(0), idLength)
    this.namingKey = createSecretKey(this.#derive('names', Buffer.alloc(0), keyLength))
  }

  seal(name: string, fence: number, record: TokenRecord): Uint8Array {
    const salt = randomBytes(saltLength)
    const nonce = randomBytes(nonceLength)
    const sealing = createCipheriv(cipher, this.#recordKey(salt), nonce, { authTagLength: tagLength })
    sealing.setAAD(this.#context(name, fence))
    const ciphertext = [sealing.update(tokenRecordText(record), 'utf8'), sealing.final()]
    return Buffer.concat([Buffer.of(version), this.id, salt, nonce, ...ciphertext, sealing.getAuthTag()])
  }

  /** Opens what this key has sealed; `undefined` for what it has not. The caller has compared the key id. */
  open(name: string, fence: number, value: Uint8Array): TokenRecord | undefined {
    if (!Number.isSafeInteger(fence) || fence < 1) return undefined
    const key = this.#recordKey(value.subarray(saltStart, nonceStart))
    const nonce = value.subarray(nonceStart, ciphertextStart)
    const opening = createDecipheriv(cipher, key, nonce, { authTagLength: tagLength })
    opening.setAAD(this.#context(name, fence))
    opening.setAuthTag(value.subarray(-tagLength))
    try {
      const text = opening.update(value.subarray(ciphertextStart, -tagLength))
      return readTokenRecord(Buffer.concat([text, opening.final()]).toString())
    } catch {
      return undefined
    }
  }

  #recordKey(salt: Uint8Array): Buffer {
    return this.#derive('record', salt, keyLength)
  }

  #derive(purpose: string, salt: Uint8Array, length: number): Buffer {
    return Buffer.from(
      hkdfSync('sha256', this.#key, salt, `dex-token-broker shared store ${purpose}`, length),
    )
  }

  /** The parts that the tag covers beside the record. All but the last one have a fixed length. */
  #context(name: string, fence: number): Buffer {
    const order = Buffer.alloc(8)
    order.writeBigUInt64BE(BigInt(fence))
    return Buffer.concat([Buffer.of(version), this.id, order, Buffer.from(name)])
  }
}

/** The key id of a sealed record of a shared store; `undefined` for bytes that cannot be one. Decides before anything is decoded. */
export function sealedKeyId(value: Uint8Array): Uint8Array | undefined {
  const { length } = value
  if (length <= ciphertextStart + tagLength || length > maxSealedLength || value[0] !== version)
    return undefined
  return value.subarray(1, saltStart)
}
