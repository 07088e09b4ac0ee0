import type { TokenBrokerOptions } from '../../../../src/options/broker-options.ts'
import type { SharedTokenStore } from '../../../../src/tokens/shared-store/shared-token-store.ts'

/** What a replica or Dex does, or a time in milliseconds that passes. */
export type Action = 'check' | 'invalidate' | 'key is gone' | 'rejects' | 'accepts' | 'rotates' | number

/** A store that the replicas of a run share. */
export interface ModelStore {
  handle(): SharedTokenStore
  readonly now: number
  setNow(ms: number): void
  flush(): void
}

/** How a run ended. */
export interface RunEnd {
  readonly requests: number
  readonly faults: number
  /** The tokens that the replicas have cached. */
  readonly tokens: readonly string[]
}

export interface ReplicaSettings {
  /** The sealing keys. */
  readonly keys?: readonly string[]
  /** How far its wall clock is ahead of the true time. */
  readonly aheadMs?: number
  readonly options?: Partial<TokenBrokerOptions>
}

export interface Scenario {
  readonly replicas: Readonly<Record<string, ReplicaSettings>>
  /** Happens in this order, each to its end, before the first choice. */
  readonly before?: readonly (readonly [owner: string, action: Action])[]
  /** Of each owner in this order; `Dex` is one. */
  readonly actions: Readonly<Record<string, readonly Action[]>>
  /**
   * One of these happens, at each point: `call`, a call or an answer of the store is lost or fails; `kill <owner>`; `flush`, the store loses everything;
   * `late`, the leases end in the store while their holders are at work.
   */
  readonly faults?: readonly string[]
  /** How many times time passes while messages are on their way. */
  readonly delays?: number
  /** Token requests without a fault, in all. */
  readonly lives: number
  /** And how many more for a fault. */
  readonly perFault?: number
  /** Whether the replicas may end with two tokens also without a fault. Default: they may not. */
  readonly mayDiffer?: boolean
  /** Whether the store must keep every record. */
  readonly keepsAll?: boolean
  readonly atEnd?: (end: RunEnd) => void
}
