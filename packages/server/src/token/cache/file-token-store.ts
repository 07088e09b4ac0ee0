import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { LeaseAnswer, LeaseRequest, SharedTokenStore, StoredRecord } from '@broker/core'
import { Refusal } from '../../config/values/refusal.ts'
import {
  type CacheEntry,
  cacheEntryBytes,
  cacheHeaderLength,
  maxCacheEntryLength,
  readCacheEntry,
} from './cache-entry.ts'
import { FileLock } from './file-lock.ts'
import { readPrivateFile, removeFile, writePrivateFile } from './private-file.ts'

/** Names are hashes in base64url. */
const fileName = /^[\w-]{43}\.(token|lock|token\.[0-9a-f]{12}\.tmp)$/
/** Age from which the files of a process that died are removed, in milliseconds. */
const abandonedMs = 60_000

export interface FileTokenStoreOptions {
  /** Receives a sentence about each file that is not used. */
  readonly warn: (sentence: string) => void
  /** Wall clock, in milliseconds. Default: `Date.now`. */
  readonly now?: () => number
}

/**
 * A token store in a private folder, shared by the commands of one user: one file for each token, replaced as a whole. Removes what is
 * expired. It works in one synchronous step after the other, so that a command can end at any time; a server must not use it.
 */
export class FileTokenStore implements SharedTokenStore {
  readonly #folder: string
  readonly #warn: (sentence: string) => void
  readonly #now: () => number

  constructor(folder: string, { warn, now = Date.now }: FileTokenStoreOptions) {
    this.#folder = folder
    this.#warn = warn
    this.#now = now
  }

  async get(name: string, newerThan: number): Promise<StoredRecord | undefined> {
    const entry = this.#read(name)
    return entry === undefined || entry.fence <= newerThan ? undefined : this.#recordOf(entry)
  }

  async lease(name: string, { leaseMs, newerThan, held }: LeaseRequest): Promise<LeaseAnswer> {
    const entry = this.#read(name)
    if (entry !== undefined && entry.fence > newerThan)
      return { kind: 'record', record: this.#recordOf(entry) }
    const lock = this.#lock(name)
    if (held !== undefined && lock.extend(held)) return { kind: 'leased', fence: held }
    const fence = Math.max(this.#now() * 1_000, newerThan + 1, (entry?.fence ?? 0) + 1)
    const forMs = lock.take(fence, leaseMs)
    return forMs > 0 ? { kind: 'held', forMs } : { kind: 'leased', fence }
  }

  async put(
    name: string,
    { value, fence, keepMs }: { readonly value: Uint8Array; readonly fence: number; readonly keepMs: number },
  ): Promise<boolean> {
    const isNewest = (this.#read(name)?.fence ?? 0) <= fence
    try {
      const bytes = cacheEntryBytes({ fence, expiresAt: this.#now() + keepMs, value })
      if (isNewest) writePrivateFile(this.#path(name, 'token'), bytes)
      this.#removeExpired()
    } catch (error) {
      this.#warn(`the token was not cached (${(error as NodeJS.ErrnoException).code})`)
    } finally {
      await this.release(name, fence)
    }
    return isNewest
  }

  async release(name: string, fence: number): Promise<void> {
    this.#lock(name).release(fence)
  }

  async forget(name: string, fence: number): Promise<void> {
    if ((this.#read(name)?.fence ?? 0) <= fence) removeFile(this.#path(name, 'token'))
    await this.release(name, fence)
  }

  /** A command ends before another one could tell it anything. */
  onForgotten(): () => void {
    return () => {}
  }

  /** Reads an entry, and removes one that nobody can use. */
  #read(name: string): CacheEntry | undefined {
    const path = this.#path(name, 'token')
    const entry = this.#entryIn(path)
    if (entry !== undefined && entry.expiresAt > this.#now()) return entry
    removeFile(path)
    return undefined
  }

  #entryIn(path: string): CacheEntry | undefined {
    try {
      const bytes = readPrivateFile(path, maxCacheEntryLength + 1)
      const entry = bytes && readCacheEntry(bytes)
      if (bytes !== undefined && entry === undefined)
        this.#warn(`the cached token in ${path} is damaged; removed`)
      return entry
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#warn(`cached token not used: ${error.message}; removed`)
      return undefined
    }
  }

  #recordOf({ fence, value }: CacheEntry): StoredRecord {
    return { value, fence, ageMs: Math.max(0, this.#now() - fence / 1_000) }
  }

  #removeExpired(): void {
    for (const each of readdirSync(this.#folder)) {
      if (!fileName.test(each)) continue
      const path = join(this.#folder, each)
      if (each.endsWith('.token') ? this.#isExpired(path) : this.#isAbandoned(path)) removeFile(path)
    }
  }

  #isExpired(path: string): boolean {
    try {
      const bytes = readPrivateFile(path, cacheHeaderLength)
      return bytes !== undefined && (readCacheEntry(bytes)?.expiresAt ?? 0) <= this.#now()
    } catch {
      // It is of no use to anybody.
      return true
    }
  }

  #isAbandoned(path: string): boolean {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    return stats !== undefined && stats.mtimeMs + abandonedMs < this.#now()
  }

  #lock(name: string): FileLock {
    return new FileLock(this.#path(name, 'lock'), this.#now)
  }

  #path(name: string, kind: 'token' | 'lock'): string {
    return join(this.#folder, `${name}.${kind}`)
  }
}
