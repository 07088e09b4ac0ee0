import type { AllowVerdict } from '@broker/core'

interface Kept<Value> {
  readonly verdict: AllowVerdict
  readonly value: Value
}

interface Keeping<Value> {
  readonly [property: symbol]: Kept<Value> | undefined
}

/**
 * A value that is kept with each verdict, as long as the verdict. A property, because a `WeakMap` of 100,000 verdicts blocks the event loop
 * for milliseconds when it grows.
 */
export class KeptWithVerdict<Value> {
  readonly #property = Symbol('kept')

  of(verdict: AllowVerdict): Value | undefined {
    const kept = (verdict as AllowVerdict & Keeping<Value>)[this.#property]
    // Objects that inherit from the verdict can have other headers, and so can its copies.
    return kept?.verdict === verdict ? kept.value : undefined
  }

  /** A frozen verdict keeps nothing. */
  keep(verdict: AllowVerdict, value: Value): void {
    // Not enumerable, so that copies and tests do not see it.
    Reflect.defineProperty(verdict, this.#property, { value: { verdict, value }, writable: true })
  }
}
