import { setTimeout as delay } from 'node:timers/promises'
import type { ForgottenRecord } from '@broker/core'
import type { Connection } from './connection.ts'
import { logScript, readLogScript } from './scripts.ts'

export type ForgottenListener = (forgotten: readonly ForgottenRecord[]) => void

const pollMs = 1_000
const pageSize = 1_000
const maxEntries = 10_000
/** After its last entry; longer than a process is without a connection and still uses its tokens. */
const keepMs = 24 * 60 * 60 * 1_000
/** How long before this process the first reading begins, because clocks differ. */
const marginMs = 60_000
const beginning = '0-0'

/** The log of forgotten records: a stream that every process with a listener reads once a second from where it was. */
export class ForgottenLog {
  readonly #connection: Connection
  readonly #key: string
  readonly #madeAt = performance.now()
  readonly #listeners = new Set<{ readonly call: ForgottenListener }>()
  #reading: AbortController | undefined
  /** Id of the last entry that was read; empty before the first reading. */
  #cursor = ''

  constructor(connection: Connection, key: string) {
    this.#connection = connection
    this.#key = key
  }

  async add({ name, fence }: ForgottenRecord): Promise<void> {
    await this.#connection.run(logScript, this.#key, [
      name,
      String(fence),
      String(keepMs),
      String(maxEntries),
    ])
  }

  /** Adds a listener, which must not throw; returns a function that removes it. */
  listen(call: ForgottenListener): () => void {
    const listener = { call }
    this.#listeners.add(listener)
    if (this.#reading === undefined) {
      this.#reading = new AbortController()
      void this.#readUntil(this.#reading.signal)
    }
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.close()
    }
  }

  close(): void {
    this.#listeners.clear()
    this.#reading?.abort()
    this.#reading = undefined
  }

  async #readUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // The connection logs its failures. The next reading begins where this one did.
      while (await this.#readPage().catch(() => false));
      await delay(pollMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  /** Returns whether there may be more to read. */
  async #readPage(): Promise<boolean> {
    const backMs = Math.ceil(performance.now() - this.#madeAt + marginMs)
    const answer = await this.#connection.run(readLogScript, this.#key, [
      ...[this.#cursor, String(backMs), String(pageSize)],
    ])
    const [entries, [newest]] = answer as [Entry[], Entry[]]
    const isRead = newest === undefined || this.#cursor === '' || idOf(newest) === this.#cursor
    const last = entries.at(-1) ?? newest
    // No entry after the last one that was read, and another is the newest: the log was lost and began again with earlier ids.
    const isOther = entries.length === 0 && !isRead
    this.#cursor = last === undefined || isOther ? beginning : idOf(last)
    const forgotten = entries.flatMap(forgottenOf)
    if (forgotten.length > 0) for (const { call } of [...this.#listeners]) call(forgotten)
    return isOther || entries.length === pageSize
  }
}

type Entry = readonly [id: Buffer, fields: readonly Buffer[]]

function idOf([id]: Entry): string {
  return id.toString()
}

function forgottenOf([, [, name, , fence]]: Entry): ForgottenRecord[] {
  const forgotten = { name: String(name), fence: Number(fence) }
  return name !== undefined && Number.isSafeInteger(forgotten.fence) ? [forgotten] : []
}
