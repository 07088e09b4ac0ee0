import { SealKey } from './seal-key.ts'

/**
 * Returns the id of a key of a shared store, in hexadecimal. It names the key in sealed records and reveals nothing about it.
 *
 * Throws a `TypeError` that starts with `option`, and contains no key, for a text that is not a key.
 */
export function sealKeyId(key: string, option: string): string {
  return new SealKey(key, option).id.toString('hex')
}
