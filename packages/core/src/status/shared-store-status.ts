import type { CircuitState } from './circuit-status.ts'
import type { OutagePeriod } from './outage-status.ts'

/** The shared token store. While it fails, each replica requests its own tokens. */
export interface SharedStoreStatus {
  /** Whether the broker calls the store now. */
  readonly circuit: CircuitState
  /** When the next probe is due; `undefined` while the circuit is closed. */
  readonly nextProbeAt: number | undefined
  /**
   * The outage that lasts, else the last one. Its lookups are the calls that the open circuit left out. `cause` is `timeout` or the
   * code of the last error, if it has one.
   */
  readonly outage: (OutagePeriod & { readonly cause: string | undefined }) | undefined
}
