import type { FaultTarget } from './endpoint.ts'
import type { Fault } from './fault.ts'

/** The faults that are on, by target. */
export class FaultSwitches {
  #faults = new Map<FaultTarget, { fault: Fault; left: number }>()

  /** Replaces the target's fault; `undefined` switches it off. */
  set(target: FaultTarget, fault: Fault | undefined): void {
    if (fault === undefined) this.#faults.delete(target)
    else this.#faults.set(target, { fault, left: fault.times ?? Number.POSITIVE_INFINITY })
  }

  clear(): void {
    this.#faults.clear()
  }

  /** The fault for the next request of a target, by this client if any, which counts as one of its times. */
  take(target: FaultTarget | undefined, clientId = ''): Fault | undefined {
    const entry = target === undefined ? undefined : this.#faults.get(target)
    if (entry === undefined || entry.left <= 0) return undefined
    if (entry.fault.forClient?.(clientId) === false) return undefined
    entry.left -= 1
    return entry.fault
  }
}
