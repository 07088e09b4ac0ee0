import { type FileHandle, open, stat } from 'node:fs/promises'
import { maxFileBytes, notAFile, readRefusal } from '../config/values/read-text-file.ts'
import { Refusal } from '../config/values/refusal.ts'

/** The bytes of a file when it was read, or why it could not be read. */
export type FileContent = Buffer | Refusal

const chunkBytes = 65_536

/** Reads a file without blocking the event loop: a volume of the network may be slow. */
export async function readContent(path: string): Promise<FileContent> {
  let file: FileHandle | undefined
  try {
    // Opening a named pipe would wait for ever.
    if (!(await stat(path)).isFile()) return notAFile(path)
    file = await open(path, 'r')
    const chunks: Buffer[] = []
    let length = 0
    while (length <= maxFileBytes) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes)
      if (bytesRead === 0) break
      chunks.push(buffer.subarray(0, bytesRead))
      length += bytesRead
    }
    return Buffer.concat(chunks, length)
  } catch (error) {
    return readRefusal(path, error)
  } finally {
    await file?.close()
  }
}

/** Whether two looks at a file found the same. */
export function isSameContent(one: FileContent | undefined, other: FileContent | undefined): boolean {
  if (one instanceof Refusal || other instanceof Refusal) {
    return one instanceof Refusal && other instanceof Refusal && one.message === other.message
  }
  return one === other || (one !== undefined && other !== undefined && one.equals(other))
}
