import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { quoteValue } from './quote-value.ts'
import { Refusal } from './refusal.ts'

/**
 * Reads a text file of at most `limit` bytes and makes a value of its text. Throws a `Refusal` that names the path and never the
 * content, or the one that `parse` throws.
 */
export type ReadTextFile = <Value>(path: string, limit: number, parse: (text: string) => Value) => Value

/** No file of the configuration may be larger. */
export const maxFileBytes = 4_194_304

const chunkBytes = 65_536

/** Reads a regular file in UTF-8 from the disk; leaves out a byte order mark. */
export const readTextFile: ReadTextFile = (path, limit, parse) =>
  parse(textOf(path, readBytes(path, limit), limit))

/** Reads a regular file, and no more than the first byte beyond `limit`. Throws a `Refusal`. */
export function readBytes(path: string, limit: number): Buffer {
  let file: number | undefined
  try {
    // A directory or a named pipe is rejected first: opening the latter would wait for ever.
    if (!statSync(path).isFile()) throw notAFile(path)
    file = openSync(path, 'r')
    const chunks: Buffer[] = []
    let length = 0
    // Not by its size, which is 0 for a file in /proc or on some volumes; and a file can grow.
    while (length <= limit) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, limit + 1 - length))
      const read = readSync(file, chunk, 0, chunk.length, null)
      if (read === 0) break
      chunks.push(chunk.subarray(0, read))
      length += read
    }
    return Buffer.concat(chunks, length)
  } catch (error) {
    throw readRefusal(path, error)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Decodes what a file holds. Throws a `Refusal`. */
export function textOf(path: string, bytes: Uint8Array, limit: number): string {
  if (bytes.length > limit) throw new Refusal(`${quoteValue(path)} is larger than ${limit} bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Refusal(`${quoteValue(path)} is not UTF-8`)
  }
}

/** Words why a path that is not a regular file is refused. */
export function notAFile(path: string): Refusal {
  return new Refusal(`${quoteValue(path)} is not a file`)
}

/** Words the error of a system call. */
export function readRefusal(path: string, error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return new Refusal(`${quoteValue(path)} does not exist`)
  return new Refusal(`${quoteValue(path)} cannot be read (${code ?? 'unknown error'})`)
}
