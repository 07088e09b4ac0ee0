import type { Clock } from './clock.ts'
import { isSameValue } from './is-same-value.ts'

/** A part of a broker that a reconfiguration can carry over. */
export interface CarriedPart {
  /** Ends its timers and subscriptions. Its work under way continues, and so do the callers that wait for it. */
  retire?(): void
  /** Aborts its work under way. */
  close?(): void
}

/** The parts that a change concerned, as `<kind>` or `<kind> <name>`. */
export interface PartChanges {
  /** Parts whose state is lost, because they are made of other values now. */
  readonly renewed: readonly string[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

interface Entry {
  readonly part: CarriedPart
  /** The values that it is made of. */
  readonly inputs: readonly unknown[]
}

type Entries = ReadonlyMap<string, Entry>

/** The parts for a new set of options, until they replace the current ones. */
export class NextParts {
  readonly #current: Entries
  readonly #taken = new Map<string, Entry>()
  readonly #settings: (() => void)[] = []

  constructor(current: Entries) {
    this.#current = current
  }

  get taken(): Entries {
    return this.#taken
  }

  /**
   * Returns the current part of this kind and name when it is made of the same values ({@link isSameValue}), else a new one.
   * `inputs` must contain every value that `make` uses and that can change.
   */
  take<Part extends object>(kind: string, name: string, inputs: readonly unknown[], make: () => Part): Part {
    const key = name === '' ? kind : `${kind} ${name}`
    const current = this.#current.get(key)
    const entry =
      current !== undefined && isSameValue(current.inputs, inputs) ? current : { part: make(), inputs }
    this.#taken.set(key, entry)
    // The kind stands for the class.
    return entry.part as Part
  }

  /** Reports a change of values that are the state of no part. */
  note(kind: string, name: string, inputs: readonly unknown[]): void {
    this.take(kind, name, inputs, () => ({}))
  }

  /** Changes a setting of a part when the parts are adopted, and not before: building them may still fail. */
  atSwap(change: () => void): void {
    this.#settings.push(change)
  }

  applySettings(): void {
    for (const change of this.#settings) change()
  }

  /** Ends the parts that were made, because they are not adopted. */
  discard(): void {
    for (const [key, entry] of this.#taken) {
      if (this.#current.get(key) !== entry) end(entry)
    }
  }
}

/**
 * The parts of a broker that have a state. A reconfiguration carries over those that are made of the same values and retires
 * the others.
 */
export class CarriedParts {
  readonly #clock: Clock
  readonly #keepMs: () => number
  #current: Entries = new Map()
  /** Parts that may have work under way. */
  #retired: { readonly entry: Entry; readonly until: number }[] = []

  /** `keepMs` is the time after which nobody can still wait for a retired part. */
  constructor(clock: Clock, keepMs: () => number) {
    this.#clock = clock
    this.#keepMs = keepMs
  }

  /** Starts a new set of parts. */
  next(): NextParts {
    return new NextParts(this.#current)
  }

  /** Replaces the current parts, and retires those that are not among the new ones. */
  adopt(next: NextParts): PartChanges {
    const before = this.#current
    const { taken } = next
    const now = this.#clock.monotonic()
    const until = now + this.#keepMs()
    this.#retired = this.#retired.filter(each => now < each.until)
    this.#current = taken
    next.applySettings()
    for (const [key, entry] of before) {
      if (taken.get(key) === entry) continue
      entry.part.retire?.()
      if (entry.part.close !== undefined) this.#retired.push({ entry, until })
    }
    return changesBetween(before, taken)
  }

  /** Ends all parts, also retired ones with work under way. */
  close(): void {
    for (const entry of this.#current.values()) end(entry)
    for (const { entry } of this.#retired) entry.part.close?.()
    this.#retired = []
  }
}

function end({ part }: Entry): void {
  part.retire?.()
  part.close?.()
}

function changesBetween(before: Entries, after: Entries): PartChanges {
  const names = [...after.keys()]
  return {
    renewed: names.filter(name => before.has(name) && before.get(name) !== after.get(name)),
    added: names.filter(name => !before.has(name)),
    removed: [...before.keys()].filter(name => !after.has(name)),
  }
}
