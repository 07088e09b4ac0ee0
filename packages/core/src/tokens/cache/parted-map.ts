/** A power of two. */
const parts = 16

/**
 * A map by hashes, split into parts. A single `Map` of 100,000 entries blocks the event loop for milliseconds when it grows
 * or shrinks, because it is rebuilt at once.
 */
export class PartedMap<Value> {
  readonly #parts: readonly Map<string, Value>[] = Array.from({ length: parts }, () => new Map())

  get size(): number {
    return this.#parts.reduce((sum, part) => sum + part.size, 0)
  }

  get(hash: string): Value | undefined {
    return this.#partOf(hash).get(hash)
  }

  set(hash: string, value: Value): void {
    this.#partOf(hash).set(hash, value)
  }

  delete(hash: string): void {
    this.#partOf(hash).delete(hash)
  }

  #partOf(hash: string): Map<string, Value> {
    return this.#parts[hash.charCodeAt(0) & (parts - 1)] as Map<string, Value>
  }
}
