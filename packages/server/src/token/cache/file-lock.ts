import { lstatSync, utimesSync } from 'node:fs'
import { createPrivateFile, readPrivateFile, removeFile } from './private-file.ts'

/** The longest number of a lock. */
const maxTextLength = 20
/** How far the clock of a file server may be ahead, in milliseconds. A later lock belongs to an owner that died before the clock was set back. */
const maxAheadMs = 60_000

/**
 * Locks a name among processes by a file that holds the owner's process id. When the owner has died, two processes can take the lock at the
 * same moment: both then request a token, and the later one wins.
 */
export class FileLock {
  readonly #path: string
  readonly #now: () => number

  constructor(path: string, now: () => number) {
    this.#path = path
    this.#now = now
  }

  /** Takes the lock for a number, also from an owner that has not touched it for `leaseMs`. Returns how long another one has it, else 0. */
  take(number: number, leaseMs: number): number {
    for (const isLast of [false, true]) {
      if (this.#create(number)) return 0
      const forMs = this.#heldForMs(leaseMs)
      if (forMs > 0) return forMs
      if (isLast) break
      removeFile(this.#path)
    }
    return leaseMs
  }

  /** Prolongs the lock of a number. Returns `false` when it is lost. */
  extend(number: number): boolean {
    if (!this.#isOf(number)) return false
    const seconds = this.#now() / 1_000
    utimesSync(this.#path, seconds, seconds)
    return true
  }

  /** Ends the lock of a number; another owner keeps it. */
  release(number: number): void {
    if (this.#isOf(number)) removeFile(this.#path)
  }

  #create(number: number): boolean {
    try {
      createPrivateFile(this.#path, Buffer.from(String(number)))
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  }

  #heldForMs(leaseMs: number): number {
    const { mtimeMs } = lstatSync(this.#path, { throwIfNoEntry: false }) ?? { mtimeMs: 0 }
    const aheadMs = mtimeMs - this.#now()
    return aheadMs > maxAheadMs ? 0 : Math.min(leaseMs, aheadMs + leaseMs)
  }

  #isOf(number: number): boolean {
    return readPrivateFile(this.#path, maxTextLength)?.toString() === String(number)
  }
}
