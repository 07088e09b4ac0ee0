import { boundedMap } from '../../shared/bounded-map.ts'
import type { SharedMark } from './shared-mark.ts'

/** Limit of remembered names, about two megabytes; the least recently used is evicted, and then only the store knows it. */
const maxNames = 10_000

/**
 * The records that this replica must no longer use, by name and fence. Remembered here because the store may not have been told
 * yet, or may answer with an old state.
 */
export class DroppedRecords {
  readonly #fences = boundedMap<number>(maxNames)

  add(name: string, fence: number): void {
    this.#fences.set(name, Math.max(fence, this.#fences.get(name) ?? 0))
  }

  /** The fence up to which the records of these names are dropped; 0 when none is. */
  fenceOf(names: readonly string[]): number {
    return Math.max(0, ...names.map(name => this.#fences.get(name) ?? 0))
  }

  has({ names, fence }: SharedMark): boolean {
    return fence <= this.fenceOf(names)
  }
}
