import type { Connection } from './connection.ts'
import { StoreFailure } from './store-failure.ts'

/** The facts that a store tells of itself; each is `undefined` where the user may not read it. */
export interface StoreInspection {
  /** The use of memory; `undefined` when the user may not read it. */
  readonly memory: StoreMemory | undefined
  /** A few sealed records of any broker with the same prefix; of a cluster, from one node. */
  readonly records: readonly Uint8Array[] | undefined
}

/** The memory of a server; of a cluster, the memory of one node. */
export interface StoreMemory {
  /** `maxmemory-policy`, such as `volatile-ttl`. */
  readonly policy: string
  /** `used_memory`. */
  readonly usedBytes: number
  /** `maxmemory`; 0: no limit. */
  readonly maxBytes: number
}

/** Enough to meet every key in use, and quickly read. */
const sampleSize = 20
/** Names that one step looks at, so that a large store is not held up. */
const scanned = '1000'

/** Reads the facts; `pattern` matches the keys of records. */
export async function inspectStore(connection: Connection, pattern: string): Promise<StoreInspection> {
  return {
    memory: await unlessRefused(async () => memoryIn(String(await connection.ask('INFO', 'memory')))),
    records: await unlessRefused(() => recordsOf(connection, pattern)),
  }
}

async function unlessRefused<Fact>(read: () => Promise<Fact>): Promise<Fact | undefined> {
  try {
    return await read()
  } catch (error) {
    // Some hosted servers do not have the command.
    if (error instanceof StoreFailure && (error.code === 'NOPERM' || error.code === 'ERR')) return undefined
    throw error
  }
}

function memoryIn(info: string): StoreMemory | undefined {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1]
  const policy = field('maxmemory_policy')
  if (policy === undefined) return undefined
  return { policy, usedBytes: Number(field('used_memory')), maxBytes: Number(field('maxmemory')) }
}

async function recordsOf(connection: Connection, pattern: string): Promise<readonly Uint8Array[]> {
  const answer = await connection.ask('SCAN', '0', 'MATCH', pattern, 'COUNT', scanned)
  const [, keys] = answer as [Buffer, Buffer[]]
  const values: Uint8Array[] = []
  for (const key of keys.slice(0, sampleSize)) {
    const value = await connection.ask('HGET', String(key), 'value')
    if (Buffer.isBuffer(value)) values.push(value)
  }
  return values
}
