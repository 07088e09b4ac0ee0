import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { quoteValue } from '../values/quote-value.ts'
import { Refusal } from '../values/refusal.ts'

/** Reads a text file. Throws a `Refusal` that names the path and never the content. */
export type ReadTextFile = (path: string, limit: number) => string

/** Reads a regular file of at most `limit` bytes in UTF-8; leaves out a byte order mark. */
export const readTextFile: ReadTextFile = (path, limit) => {
  const bytes = bytesOf(path, limit)
  if (bytes.length > limit) throw new Refusal(`${quoteValue(path)} is larger than ${limit} bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Refusal(`${quoteValue(path)} is not UTF-8`)
  }
}

function bytesOf(path: string, limit: number): Uint8Array {
  let file: number | undefined
  try {
    // A directory or a named pipe is rejected first: opening the latter would wait for ever.
    if (!statSync(path).isFile()) throw new Refusal(`${quoteValue(path)} is not a file`)
    file = openSync(path, 'r')
    if (fstatSync(file).size > limit) throw new Refusal(`${quoteValue(path)} is larger than ${limit} bytes`)
    // The size of a file in /proc or on some volumes is 0, and a file can grow.
    const buffer = Buffer.alloc(limit + 1)
    let length = 0
    for (;;) {
      const read = readSync(file, buffer, length, buffer.length - length, null)
      length += read
      if (read === 0 || length === buffer.length) return buffer.subarray(0, length)
    }
  } catch (error) {
    if (error instanceof Refusal) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') throw new Refusal(`${quoteValue(path)} does not exist`)
    throw new Refusal(`${quoteValue(path)} cannot be read (${code ?? 'unknown error'})`)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
