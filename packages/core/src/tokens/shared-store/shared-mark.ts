/** Identifies the record of a cached token in the shared store. */
export interface SharedMark {
  /** The names of the record: one for each key, because replicas can have the keys in another order. */
  readonly names: readonly string[]
  /** Orders the tokens of one name: the newer one has the larger fence. */
  readonly fence: number
}

/** Tells whether a record is one of those that nobody may use, given as the newest fence of each name. */
export function isForgotten({ names, fence }: SharedMark, forgotten: ReadonlyMap<string, number>): boolean {
  return names.some(name => fence <= (forgotten.get(name) ?? 0))
}
