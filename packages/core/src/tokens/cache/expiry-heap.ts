export interface HeapEntry {
  readonly endsAt: number
  /** Where the entry stands in the heap; written by the heap alone. */
  heapIndex: number
}

/**
 * A binary heap with the entry that expires soonest on top, in which every entry knows its place, so that any entry
 * can be removed in O(log n).
 */
export class ExpiryHeap<Entry extends HeapEntry> {
  readonly #entries: Entry[] = []

  get soonest(): Entry | undefined {
    return this.#entries[0]
  }

  add(entry: Entry): void {
    this.#entries.push(entry)
    this.#rise(entry, this.#entries.length - 1)
  }

  remove(entry: Entry): void {
    const last = this.#entries.pop()
    if (last === undefined || last === entry) return
    const { heapIndex } = entry
    // The last entry takes the free place; it may belong further up or further down.
    this.#rise(last, heapIndex)
    if (last.heapIndex === heapIndex) this.#sink(last, heapIndex)
  }

  #rise(entry: Entry, from: number): void {
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#entries[parentIndex] as Entry
      if (parent.endsAt <= entry.endsAt) break
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
      if (right !== undefined && right.endsAt < child.endsAt) {
        childIndex += 1
        child = right
      }
      if (child.endsAt >= entry.endsAt) break
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
