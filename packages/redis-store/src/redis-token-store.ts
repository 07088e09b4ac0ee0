import type { ForgottenRecord, LeaseAnswer, LeaseRequest, SharedTokenStore, StoredRecord } from '@broker/core'
import { Connection } from './connection.ts'
import { ForgottenLog } from './forgotten-log.ts'
import type { RedisTokenStoreOptions } from './redis-token-store-options.ts'
import { resolveStoreOptions } from './resolve-store-options.ts'
import { forgetScript, getScript, leaseScript, putScript, releaseScript, type Script } from './scripts.ts'
import { StoreFailure } from './store-failure.ts'
import { inspectStore, type StoreInspection } from './store-inspection.ts'

/**
 * Makes a shared token store on Redis or Valkey, and begins to connect. Throws a `TypeError` that names a wrong option. Close it
 * when the brokers that use it are closed: until then its connection keeps the process running.
 */
export function redisTokenStore(options: RedisTokenStoreOptions): RedisTokenStore {
  return new RedisTokenStore(options)
}

/**
 * A shared token store on Redis or Valkey. Calls wait for the end of the first attempt to connect; later, they reject at once while
 * there is no connection.
 */
export class RedisTokenStore implements SharedTokenStore, AsyncDisposable {
  readonly #connection: Connection
  readonly #log: ForgottenLog
  readonly #prefix: string

  /** Starts to connect. Throws a `TypeError` for wrong options. */
  constructor(options: RedisTokenStoreOptions) {
    const { prefix, ...settings } = resolveStoreOptions(options)
    this.#prefix = prefix
    this.#connection = new Connection(settings)
    this.#log = new ForgottenLog(this.#connection, `${prefix}:forgotten`)
  }

  /**
   * Resolves when the first attempt to connect has ended, with or without a connection; never rejects. A call before that also waits
   * for the connection, which may take longer than a broker waits for a call.
   */
  get firstAttempt(): Promise<void> {
    return this.#connection.firstAttempt
  }

  /** Returns the record of a name when it is newer than a fence (0: any), else `undefined`. */
  async get(name: string, newerThan: number): Promise<StoredRecord | undefined> {
    const answer = await this.#run(getScript, name, [newerThan])
    return Array.isArray(answer) ? storedRecord(answer) : undefined
  }

  /** Returns a newer record, else takes or extends the lease of the name, else tells how long another has it. */
  async lease(name: string, { leaseMs, newerThan, held = 0 }: LeaseRequest): Promise<LeaseAnswer> {
    const answer = await this.#run(leaseScript, name, [newerThan, Math.ceil(leaseMs), held])
    if (Array.isArray(answer)) return { kind: 'record', record: storedRecord(answer) }
    const number = integer(answer)
    return number < 0 ? { kind: 'held', forMs: -number } : { kind: 'leased', fence: number }
  }

  /** Keeps a record and ends its lease; `false` when the name has a newer one or was forgotten. */
  async put(name: string, record: { value: Uint8Array; fence: number; keepMs: number }): Promise<boolean> {
    const { value, fence, keepMs } = record
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return integer(await this.#run(putScript, name, [bytes, fence, wholeMs(keepMs)])) === 1
  }

  /** Ends the lease of this fence. */
  async release(name: string, fence: number): Promise<void> {
    await this.#run(releaseScript, name, [fence])
  }

  /** Removes a record, ends its lease, refuses the records of earlier leases for `keepMs` milliseconds, and tells all replicas. */
  async forget(name: string, fence: number, keepMs: number): Promise<void> {
    await this.#run(forgetScript, name, [fence, wholeMs(keepMs)])
    // A second step, because the log is another key, which may be on another node.
    await this.#log.add({ name, fence })
  }

  /** Calls a listener, which must not throw, with records that any replica has forgotten, within 2 seconds. */
  onForgotten(listener: (forgotten: readonly ForgottenRecord[]) => void): () => void {
    return this.#log.listen(listener)
  }

  /**
   * Reads facts that no broker needs, for tools that check a store. Each is `undefined` where the user may not read it, as with the
   * rights that a broker needs. Rejects when the store fails otherwise.
   */
  inspect(): Promise<StoreInspection> {
    return inspectStore(this.#connection, `${this.#prefix}:token:*`)
  }

  /** Ends the connection and all listeners; calls under way and later ones reject. */
  async close(): Promise<void> {
    this.#log.close()
    await this.#connection.close()
  }

  /** Works like `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #run(script: Script, name: string, args: readonly (Buffer | number)[]): Promise<unknown> {
    const texts = args.map(arg => (typeof arg === 'number' ? String(arg) : arg))
    return this.#connection.run(script, `${this.#prefix}:token:${name}`, texts)
  }
}

function storedRecord([value, fence, ageMs]: readonly unknown[]): StoredRecord {
  if (!Buffer.isBuffer(value)) throw new StoreFailure('the store answered something else')
  return { value, fence: integer(fence), ageMs: integer(ageMs) }
}

function integer(answer: unknown): number {
  if (!Number.isSafeInteger(answer)) throw new StoreFailure('the store answered something else')
  return answer as number
}

/** Redis takes whole milliseconds from 1 on. */
function wholeMs(ms: number): number {
  return Math.max(1, Math.ceil(ms))
}
