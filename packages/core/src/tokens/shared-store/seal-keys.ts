import { createHmac } from 'node:crypto'
import { SealKey, sealedKeyId } from './seal-key.ts'
import type { TokenRecord } from './token-record.ts'

/**
 * The keys of a shared store: the first one seals, each of them opens. A rotation puts the new key first and keeps the old one
 * until the last token that it has sealed is expired.
 */
export class SealKeys {
  readonly #keys: readonly [SealKey, ...SealKey[]]

  /**
   * Each key is 32 bytes in base64 or base64url, with or without padding, and without whitespace. Throws a `TypeError` for another
   * text, a key that appears twice, and an empty list; its message contains no key.
   */
  constructor(keys: readonly string[]) {
    const [first, ...others] = keys.map((text, index) => new SealKey(text, `sharedStore.keys[${index}]`))
    if (first === undefined) throw new TypeError('sharedStore.keys must not be empty')
    this.#keys = [first, ...others]
    for (const [index, { id }] of this.#keys.entries()) {
      const earlier = this.#keys.findIndex(key => key.id.equals(id))
      if (earlier < index) {
        throw new TypeError(`sharedStore.keys[${index}] must differ from sharedStore.keys[${earlier}]`)
      }
    }
  }

  /** The names of a record in the store, by each key: the first one for what is stored now, the others for what was. */
  namesOf(fields: string): readonly string[] {
    return this.#keys.map(({ namingKey }) =>
      createHmac('sha256', namingKey).update(fields).digest('base64url'),
    )
  }

  /** Seals a record for one name and one fence: it opens with no others. */
  seal(name: string, fence: number, record: TokenRecord): Uint8Array {
    return this.#keys[0].seal(name, fence, record)
  }

  /** Opens a sealed record. `undefined` for any other bytes: of an unknown key or version, changed, cut, or of another name or fence. */
  open(name: string, fence: number, value: Uint8Array): TokenRecord | undefined {
    const id = sealedKeyId(value)
    return id && this.#keys.find(key => key.id.equals(id))?.open(name, fence, value)
  }
}
