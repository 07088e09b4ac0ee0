import { type HeapEntry, IndexedHeap } from './indexed-heap.ts'
import { PartedMap } from './parted-map.ts'

export interface SharedEntry extends HeapEntry {
  /** The client that the entry belongs to. */
  readonly client: string
  readonly endsAt: number
}

/** The entries of a client with several entries. */
class Share<Entry extends SharedEntry> implements HeapEntry {
  readonly entries: IndexedHeap<Entry> = new IndexedHeap<Entry>(endsSooner)
  /** Position among all clients, by expiry. */
  heapIndex = -1
  /** Position among the clients with several entries, by size. */
  readonly bySize: SharePlace<Entry> = { share: this, heapIndex: -1 }

  get endsAt(): number {
    return this.entries.first?.endsAt ?? Number.POSITIVE_INFINITY
  }
}

interface SharePlace<Entry extends SharedEntry> extends HeapEntry {
  readonly share: Share<Entry>
}

/** The entries of a client. Most clients have one entry, which needs no share. */
type Holding<Entry extends SharedEntry> = Entry | Share<Entry>

/**
 * Chooses the entry to evict from a full cache. A client never evicts entries of clients that hold no more entries than it
 * does. Every operation is O(log n).
 */
export class ClientShares<Entry extends SharedEntry> {
  readonly #holdings = new PartedMap(() => new Map<string, Holding<Entry>>())
  readonly #byExpiry = new IndexedHeap<Holding<Entry>>(endsSooner)
  readonly #bySize = new IndexedHeap<SharePlace<Entry>>(isLarger)

  /** The number of clients with entries. */
  get clients(): number {
    return this.#holdings.size
  }

  /** Visits all entries, in no order. */
  forEach(visit: (entry: Entry) => void): void {
    this.#byExpiry.forEach(holding => {
      if (holding instanceof Share) holding.entries.forEach(visit)
      else visit(holding)
    })
  }

  /** The entry that expires soonest, of all clients. */
  get soonest(): Entry | undefined {
    const first = this.#byExpiry.first
    return first && soonestOf(first)
  }

  /**
   * The entry to evict for a new entry of a client: the one that expires soonest of the client with most entries. The new
   * entry counts. In a tie the client evicts its own entry, or two clients would evict each other's in turn. When every client
   * has one entry and this one none, it is the one that expires soonest.
   */
  leavingFor(client: string): Entry | undefined {
    const own = this.#holdings.of(client).get(client)
    const largest = this.#bySize.first?.share
    if (own !== undefined && sizeOf(own) + 1 >= (largest === undefined ? 1 : sizeOf(largest)))
      return soonestOf(own)
    return largest === undefined ? this.soonest : soonestOf(largest)
  }

  add(entry: Entry): void {
    const { client } = entry
    const held = this.#holdings.of(client).get(client)
    if (held instanceof Share) {
      held.entries.add(entry)
      this.#moved(held)
    } else if (held === undefined) {
      this.#holdings.of(client).set(client, entry)
      this.#byExpiry.add(entry)
    } else this.#share(client, held, entry)
  }

  remove(entry: Entry): void {
    const { client } = entry
    const held = this.#holdings.of(client).get(client)
    if (!(held instanceof Share)) {
      this.#holdings.of(client).delete(client)
      this.#byExpiry.remove(entry)
      return
    }
    held.entries.remove(entry)
    if (held.entries.size > 1) this.#moved(held)
    else this.#unshare(client, held)
  }

  #share(client: string, first: Entry, second: Entry): void {
    // Before the share takes it over, because an entry has one position.
    this.#byExpiry.remove(first)
    const share = new Share<Entry>()
    share.entries.add(first)
    share.entries.add(second)
    this.#holdings.of(client).set(client, share)
    this.#byExpiry.add(share)
    this.#bySize.add(share.bySize)
  }

  #unshare(client: string, share: Share<Entry>): void {
    this.#byExpiry.remove(share)
    this.#bySize.remove(share.bySize)
    const last = soonestOf(share)
    this.#holdings.of(client).set(client, last)
    this.#byExpiry.add(last)
  }

  #moved(share: Share<Entry>): void {
    this.#byExpiry.update(share)
    this.#bySize.update(share.bySize)
  }
}

function endsSooner(a: { readonly endsAt: number }, b: { readonly endsAt: number }): boolean {
  return a.endsAt < b.endsAt
}

/** In a tie, the share with the entry that expires sooner. */
function isLarger<Entry extends SharedEntry>(a: SharePlace<Entry>, b: SharePlace<Entry>): boolean {
  const more = sizeOf(a.share) - sizeOf(b.share)
  return more > 0 || (more === 0 && endsSooner(a.share, b.share))
}

function sizeOf<Entry extends SharedEntry>(holding: Holding<Entry>): number {
  return holding instanceof Share ? holding.entries.size : 1
}

function soonestOf<Entry extends SharedEntry>(holding: Holding<Entry>): Entry {
  // A share is never empty.
  return holding instanceof Share ? (holding.entries.first as Entry) : holding
}
