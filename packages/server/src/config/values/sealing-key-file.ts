import { sealKeyId } from '@broker/core/options'
import { quoteValue } from './quote-value.ts'
import type { ReadTextFile } from './read-text-file.ts'
import { Refusal } from './refusal.ts'

const maxBytes = 4_096
const remedy = 'make a key with "openssl rand -base64 32"'

/** A key that seals and opens tokens in the shared store. */
export interface SealingKey {
  /** Names the key; not a secret. */
  readonly id: string
  /** Base64 of 32 bytes. */
  readonly text: string
}

/** A file with the keys of the shared store. */
export interface SealingKeyFile {
  readonly path: string
  /** At least one; the first one seals. */
  readonly keys: readonly SealingKey[]
}

/**
 * Reads a file of keys, one on each line. Blank lines and lines that begin with # are left out. Throws a `Refusal` that tells
 * the number of a line and never its text.
 */
export function readSealingKeyFile(path: string, read: ReadTextFile): SealingKeyFile {
  return { path, keys: read(path, maxBytes, text => keysIn(path, text)) }
}

/** Describes the file for people, without its keys. */
export function shownKeyFile({ path, keys }: SealingKeyFile): string {
  const count = keys.length === 1 ? '1 key' : `${keys.length} keys`
  return `${path} (${count}: ${keys.map(({ id }) => id).join(', ')})`
}

function keysIn(path: string, text: string): readonly SealingKey[] {
  const keys: SealingKey[] = []
  const lineOfId = new Map<string, number>()
  const problems: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const key = line.trim()
    if (key === '' || key.startsWith('#')) continue
    const place = `line ${index + 1} of ${quoteValue(path)}`
    const id = idOf(key)
    const earlier = lineOfId.get(id ?? '')
    if (id === undefined) problems.push(`${place} is not base64 of 32 bytes; ${remedy}`)
    else if (earlier !== undefined) problems.push(`${place} repeats the key of line ${earlier}`)
    else {
      keys.push({ id, text: key })
      lineOfId.set(id, index + 1)
    }
  }
  if (problems.length > 0) throw new Refusal(...problems)
  if (keys.length === 0) throw new Refusal(`${quoteValue(path)} has no key; ${remedy}`)
  return keys
}

function idOf(key: string): string | undefined {
  try {
    return sealKeyId(key, '')
  } catch {
    return undefined
  }
}
