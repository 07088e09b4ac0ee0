/** A record as a shared store keeps it. */
export interface StoredRecord {
  /** The sealed token. */
  readonly value: Uint8Array
  /** Orders the records of one name: the newer record has the larger fence. A safe integer above 0. */
  readonly fence: number
  /** Time since the store handed out the fence, by the store's own clock, in milliseconds, at least 0. */
  readonly ageMs: number
}

/** A request for the lease of a name. */
export interface LeaseRequest {
  /** Time for which nobody else gets the lease, in milliseconds. */
  readonly leaseMs: number
  /** Only a record with a larger fence is an answer. 0: any. */
  readonly newerThan: number
  /** The fence of a lease of this replica, to extend it. Without effect when it is lost. Default: none. */
  readonly held?: number | undefined
}

/** The answer to a {@link LeaseRequest}: a record, else a lease, else the time for which another replica has it. */
export type LeaseAnswer =
  | {
      /** There is a newer record. */
      readonly kind: 'record'
      /** The newer record. */
      readonly record: StoredRecord
    }
  | {
      /** This caller has the lease now. */
      readonly kind: 'leased'
      /** Larger than any earlier one of this name, and than `newerThan`. */
      readonly fence: number
    }
  | {
      /** Another caller has the lease. */
      readonly kind: 'held'
      /** Remaining time of that lease, in milliseconds; at most its owner's `leaseMs`. */
      readonly forMs: number
    }

/** A record that no replica may use, nor any older one of the same name. */
export interface ForgottenRecord {
  /** The name of the record: a salted hash. */
  readonly name: string
  /** Records of the name with this fence or a smaller one are forgotten. */
  readonly fence: number
}

/**
 * A store that the brokers of several processes share, so that they make one token request in place of one each. It sees sealed
 * records under names that are hashes, and never a token, a client or a scope.
 *
 * Each method is one atomic step on one name, and rejects when the store fails. The broker bounds the time of every call, and
 * serves every check without the store when it fails. All methods may be called at any time, also before the store is connected.
 */
export interface SharedTokenStore {
  /** Returns the record of a name when it is newer than a fence (0: any), else `undefined`. */
  get(name: string, newerThan: number): Promise<StoredRecord | undefined>

  /**
   * Returns a newer record, if there is one. Else takes the lease of the name, which permits a token request, or extends it.
   * A lease ends with `put`, `release`, `forget`, or its time.
   */
  lease(name: string, request: LeaseRequest): Promise<LeaseAnswer>

  /**
   * Keeps a record for `keepMs` milliseconds and ends the lease of its fence. Refuses it, and returns `false`, when the name has a
   * newer record, or was forgotten after the fence was handed out.
   */
  put(name: string, record: { value: Uint8Array; fence: number; keepMs: number }): Promise<boolean>

  /** Ends the lease of this fence without a record; another replica may have the lease by now, and then keeps it. */
  release(name: string, fence: number): Promise<void>

  /**
   * Removes the record of a name, ends its lease, and refuses the records of all leases handed out so far for `keepMs` milliseconds;
   * none of that when the record is newer than `fence`. Of a fence whose records are refused already it only prolongs that: replicas
   * that drop the same token must not end the lease of the one that replaces it. In any case tells the listeners of all replicas within
   * 2 seconds, because they may have cached an older record.
   */
  forget(name: string, fence: number, keepMs: number): Promise<void>

  /**
   * Calls a listener with records that any replica has forgotten, also with those from before a lost connection, as far as the
   * store remembers them. Returns a function that ends it.
   */
  onForgotten(listener: (forgotten: readonly ForgottenRecord[]) => void): () => void
}
