import { type DevDex, type DevDexOptions, startDevDex } from '@broker/dev-dex'
import { type MemoryStoreHandle, MemoryTokenStore } from '@broker/testing'
import type { TokenBrokerOptions } from '../../../src/options/broker-options.ts'
import type { BrokerEvent } from '../../../src/shared/broker-event.ts'
import { TokenBroker } from '../../../src/token-broker.ts'
import { orders } from '../../broker-with-dex.ts'
import { ManualClock } from '../../manual-clock.ts'
import { RecordingLogger } from '../../recording-logger.ts'

export const [keyA, keyB] = [1, 2].map(byte => Buffer.alloc(32, byte).toString('base64')) as [string, string]

/** One of several brokers with the same store. */
export interface Replica {
  readonly broker: TokenBroker
  readonly store: MemoryStoreHandle
  readonly clock: ManualClock
  readonly log: RecordingLogger
  readonly options: TokenBrokerOptions
  /** `operation outcome` of each call of the store. */
  readonly storeCalls: string[]
}

export interface Replicas extends AsyncDisposable {
  readonly dex: DevDex
  readonly memory: MemoryTokenStore
  /** Drives Dex and the store. */
  readonly clock: ManualClock
  /** Starts one more broker. */
  add(options?: Partial<TokenBrokerOptions>): Replica
  /** Time passes everywhere. */
  advance(ms: number): void
}

/** A look-alike of Dex and a store in memory, for brokers that are still to be started. */
export async function startReplicas(dexOptions: DevDexOptions = {}): Promise<Replicas> {
  const clock = new ManualClock()
  const dex = await startDevDex({
    algorithm: 'ES256',
    idTokensMs: 3_600_000,
    now: clock.wall,
    clients: [
      { id: 'orders', secret: 'orders-secret', groups: ['shop'] },
      { id: 'billing', secret: 'billing-secret', trustedPeers: ['orders'] },
    ],
    ...dexOptions,
  })
  const memory = new MemoryTokenStore(clock)
  const replicas: Replica[] = []
  return {
    dex,
    memory,
    clock,
    add(changes = {}) {
      const store = memory.handle()
      const [own, log] = [new ManualClock(), new RecordingLogger()]
      own.advance(clock.wall() - own.wall())
      const storeCalls: string[] = []
      const options: TokenBrokerOptions = {
        tokenEndpoint: dex.tokenEndpoint,
        client: orders,
        clock: own,
        logger: log,
        sharedStore: { store, keys: [keyA] },
        observe: (event: BrokerEvent) => {
          if (event.type === 'shared_store') storeCalls.push(`${event.operation} ${event.outcome}`)
        },
        ...changes,
      }
      const replica = { broker: new TokenBroker(options), store, clock: own, log, options, storeCalls }
      replicas.push(replica)
      return replica
    },
    advance(ms) {
      clock.advance(ms)
      for (const { clock: own } of replicas) own.advance(ms)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(replicas.map(({ broker }) => broker.close()))
      await dex.close()
    },
  }
}
