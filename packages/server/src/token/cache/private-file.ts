import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { quoteValue } from '../../config/values/quote-value.ts'
import { readRefusal } from '../../config/values/read-text-file.ts'
import { Refusal } from '../../config/values/refusal.ts'

/** Windows has neither flag, nor FIFOs among its files. */
const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Makes a folder that only its owner can use. Throws a `Refusal` for a path that is not such a folder. */
export function assertPrivateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new Refusal(`${quoteValue(path)} cannot be made (${(error as NodeJS.ErrnoException).code})`)
  }
  const stats = lstatSync(path)
  if (stats.isSymbolicLink()) throw new Refusal(`${quoteValue(path)} is a symbolic link`)
  assertPrivate(path, stats, '700')
}

/**
 * Reads the first `limit` bytes of a file that only its owner can use; `undefined` when it does not exist. Throws a `Refusal` for
 * another file, also for a symbolic link.
 */
export function readPrivateFile(path: string, limit: number): Buffer | undefined {
  let file: number | undefined
  try {
    file = openSync(path, readFlags)
    const stats = fstatSync(file)
    if (!stats.isFile()) throw new Refusal(`${quoteValue(path)} is not a file`)
    assertPrivate(path, stats, '600')
    const bytes = Buffer.alloc(Math.min(stats.size, limit))
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    // By O_NOFOLLOW.
    if (code === 'ELOOP') throw new Refusal(`${quoteValue(path)} is a symbolic link`)
    throw readRefusal(path, error)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Replaces a file as a whole: nobody ever reads a part of it. `place` puts the complete file into its place. */
export function writePrivateFile(
  path: string,
  bytes: Uint8Array,
  place: (from: string, to: string) => void = renameSync,
): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = openSync(temporary, 'wx', 0o600)
  try {
    try {
      writeSync(file, bytes)
    } finally {
      closeSync(file)
    }
    place(temporary, path)
  } finally {
    removeFile(temporary)
  }
}

/** Removes a file, if it is there. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Windows has no owner and no mode here: the profile of the user protects what is in it. */
function assertPrivate(path: string, { uid, mode }: Stats, wanted: string): void {
  const user = process.getuid?.()
  if (user === undefined) return
  if (uid !== user) throw new Refusal(`${quoteValue(path)} belongs to another user`)
  if ((mode & 0o077) === 0) return
  const shown = (mode & 0o777).toString(8).padStart(3, '0')
  throw new Refusal(`${quoteValue(path)} is open to others (mode ${shown}); run chmod ${wanted} on it`)
}
