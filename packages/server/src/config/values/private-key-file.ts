import { createPrivateKey } from 'node:crypto'
import { quoteValue } from './quote-value.ts'
import { maxFileBytes, type ReadTextFile } from './read-text-file.ts'
import { Refusal } from './refusal.ts'

/** A file with a private key. */
export interface PrivateKeyFile {
  readonly path: string
  /** PEM. */
  readonly key: string
}

/** Reads a PEM file with a private key that needs no passphrase. Throws a `Refusal` that never holds the key. */
export function readPrivateKeyFile(path: string, read: ReadTextFile): PrivateKeyFile {
  return { path, key: read(path, maxFileBytes, text => privateKeyIn(path, text)) }
}

/** Checks the text of such a file. Throws a `Refusal`. */
export function privateKeyIn(path: string, text: string): string {
  try {
    createPrivateKey(text)
    return text
  } catch {
    throw new Refusal(
      text.includes('ENCRYPTED')
        ? `${quoteValue(path)} is encrypted; write the key without a passphrase`
        : `${quoteValue(path)} holds no PEM private key; write the key in PKCS #8, PKCS #1 or SEC 1`,
    )
  }
}
