/** A power of two. */
const parts = 16

/**
 * Maps by hashes, each with a part of the entries. A single `Map` of 100,000 entries blocks the event loop for milliseconds when it
 * grows, shrinks or has seen many deletions, because it is rebuilt at once.
 */
export class PartedMap<Part extends { readonly size: number }> {
  readonly #parts: readonly Part[]

  constructor(newPart: () => Part) {
    this.#parts = Array.from({ length: parts }, newPart)
  }

  get size(): number {
    return this.#parts.reduce((sum, part) => sum + part.size, 0)
  }

  /** The part with the entry of a hash. */
  of(hash: string): Part {
    return this.#parts[hash.charCodeAt(0) & (parts - 1)] as Part
  }
}
