import { createHash } from 'node:crypto'
import { quoteValue } from './quote-value.ts'
import type { ReadTextFile } from './read-text-file.ts'
import { Refusal } from './refusal.ts'

const keyBytes = 32
const base64OfKey = /^[A-Za-z\d+/]{43}=$/
const maxBytes = 4_096
const remedy = 'make a key with "openssl rand -base64 32"'

/** A file with the keys that seal tokens in the shared store. */
export interface SealingKeyFile {
  readonly path: string
  /** Base64 of 32 bytes each; the first one seals. */
  readonly keys: readonly string[]
}

/**
 * Reads a file of keys, one on each line. Blank lines and lines that begin with # are left out. Throws a `Refusal` that tells
 * the number of a line and never its text.
 */
export function readSealingKeyFile(path: string, read: ReadTextFile): SealingKeyFile {
  return { path, keys: read(path, maxBytes, text => keysIn(path, text)) }
}

function keysIn(path: string, text: string): readonly string[] {
  const lineOfKey = new Map<string, number>()
  const problems: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const key = line.trim()
    if (key === '' || key.startsWith('#')) continue
    const earlier = lineOfKey.get(key)
    const place = `line ${index + 1} of ${quoteValue(path)}`
    if (!isKey(key)) problems.push(`${place} is not base64 of ${keyBytes} bytes; ${remedy}`)
    else if (earlier !== undefined) problems.push(`${place} repeats the key of line ${earlier}`)
    else lineOfKey.set(key, index + 1)
  }
  if (problems.length > 0) throw new Refusal(...problems)
  if (lineOfKey.size === 0) throw new Refusal(`${quoteValue(path)} has no key; ${remedy}`)
  return [...lineOfKey.keys()]
}

/** The last character of a key has unused bits, which must be zero: otherwise one key has several texts. */
function isKey(text: string): boolean {
  return base64OfKey.test(text) && Buffer.from(text, 'base64').toString('base64') === text
}

/** Describes the file for people: the ids of its keys are in the records of the store, and say nothing about the keys. */
export function shownKeyFile({ path, keys }: SealingKeyFile): string {
  const count = keys.length === 1 ? '1 key' : `${keys.length} keys`
  return `${path} (${count}: ${keys.map(sealingKeyId).join(', ')})`
}

function sealingKeyId(key: string): string {
  return createHash('sha256').update('TEMPORARY').update(key).digest('hex').slice(0, 16)
}
