/** A power of two. */
const parts = 16

/**
 * A map by hashes, in parts: a `Map` that grows, or from which much was deleted, is built anew in one go, which holds the
 * event loop up for milliseconds when it has 100,000 entries.
 */
export class PartedMap<Value> {
  readonly #parts: readonly Map<string, Value>[] = Array.from({ length: parts }, () => new Map())

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
