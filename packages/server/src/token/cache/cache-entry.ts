/** A sealed token in the file of a cache. */
export interface CacheEntry {
  /** Orders the entries of one name. A safe integer above 0. */
  readonly fence: number
  /** The end of its use, in milliseconds since the Unix epoch. */
  readonly expiresAt: number
  readonly value: Uint8Array
}

// A file: the word with its version, fence, end of use, sealed token.
const word = Buffer.from('DTB1')
const expiryStart = word.length + 8
/** The part of a file before the sealed token, in bytes. */
export const cacheHeaderLength: number = expiryStart + 8
/** The largest file, in bytes: more than the longest sealed token. */
export const maxCacheEntryLength: number = 262_144 + cacheHeaderLength

/** Returns the bytes of an entry's file. */
export function cacheEntryBytes({ fence, expiresAt, value }: CacheEntry): Uint8Array {
  const header = Buffer.alloc(cacheHeaderLength)
  word.copy(header)
  header.writeBigUInt64BE(BigInt(fence), word.length)
  header.writeBigUInt64BE(BigInt(Math.ceil(expiresAt)), expiryStart)
  return Buffer.concat([header, value])
}

/** Reads an entry; `undefined` for bytes that are not the file of one. Whether the token opens is another matter. */
export function readCacheEntry(bytes: Buffer): CacheEntry | undefined {
  if (bytes.length < cacheHeaderLength || bytes.length > maxCacheEntryLength) return undefined
  if (!bytes.subarray(0, word.length).equals(word)) return undefined
  const fence = Number(bytes.readBigUInt64BE(word.length))
  const expiresAt = Number(bytes.readBigUInt64BE(expiryStart))
  if (!Number.isSafeInteger(fence) || fence < 1 || !Number.isSafeInteger(expiresAt)) return undefined
  return { fence, expiresAt, value: bytes.subarray(cacheHeaderLength) }
}
