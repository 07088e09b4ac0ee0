export interface HeapEntry {
  /** Position in the heap; only the heap writes it. */
  heapIndex: number
}

/** A binary heap whose entries know their position, so that any entry can be moved or removed in O(log n). */
export class IndexedHeap<Entry extends HeapEntry> {
  readonly #entries: Entry[] = []
  readonly #precedes: (a: Entry, b: Entry) => boolean

  /** `precedes` tells whether `a` comes strictly before `b`. */
  constructor(precedes: (a: Entry, b: Entry) => boolean) {
    this.#precedes = precedes
  }

  get first(): Entry | undefined {
    return this.#entries[0]
  }

  get size(): number {
    return this.#entries.length
  }

  /** Visits all entries, in no order. */
  forEach(visit: (entry: Entry) => void): void {
    this.#entries.forEach(visit)
  }

  add(entry: Entry): void {
    this.#entries.push(entry)
    this.#rise(entry, this.#entries.length - 1)
  }

  remove(entry: Entry): void {
    const last = this.#entries.pop()
    if (last === undefined || last === entry) return
    // The last entry fills the gap and may belong further up or down.
    this.#settle(last, entry.heapIndex)
  }

  /** Moves an entry after its order has changed. At most one entry may be out of order at a time. */
  update(entry: Entry): void {
    this.#settle(entry, entry.heapIndex)
  }

  #settle(entry: Entry, index: number): void {
    this.#rise(entry, index)
    if (entry.heapIndex === index) this.#sink(entry, index)
  }

  #rise(entry: Entry, from: number): void {
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#entries[parentIndex] as Entry
      if (!this.#precedes(entry, parent)) break
      this.#place(parent, index)
      index = parentIndex
    }
    this.#place(entry, index)
  }

  #sink(entry: Entry, from: number): void {
    const { length } = this.#entries
    let index = from
    for (;;) {
      let childIndex = 2 * index + 1
      if (childIndex >= length) break
      let child = this.#entries[childIndex] as Entry
      const right = this.#entries[childIndex + 1]
      if (right !== undefined && this.#precedes(right, child)) {
        childIndex += 1
        child = right
      }
      if (!this.#precedes(child, entry)) break
      this.#place(child, index)
      index = childIndex
    }
    this.#place(entry, index)
  }

  #place(entry: Entry, index: number): void {
    this.#entries[index] = entry
    entry.heapIndex = index
  }
}
