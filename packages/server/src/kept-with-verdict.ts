import type { AllowVerdict } from '@broker/core'

interface Keeping<Value> {
  readonly [property: symbol]: Value | undefined
}

/**
 * A value that is kept with each verdict, as long as the verdict. A property, because a `WeakMap` of 100,000 verdicts blocks the event loop
 * for milliseconds when it grows.
 */
export class KeptWithVerdict<Value> {
  readonly #property = Symbol('kept')

  of(verdict: AllowVerdict): Value | undefined {
    return (verdict as AllowVerdict & Keeping<Value>)[this.#property]
  }

  /** A frozen verdict keeps nothing. */
  keep(verdict: AllowVerdict, value: Value): void {
    // Not enumerable: a copy of the verdict can have other headers.
    Reflect.defineProperty(verdict, this.#property, { value, writable: true })
  }
}
