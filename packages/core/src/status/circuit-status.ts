import type { OutageStatus } from './outage-status.ts'

/** `probing`: the circuit is open, and one request is under way that may close it. */
export type CircuitState = 'closed' | 'open' | 'probing'

/** A circuit in front of a token endpoint. */
export interface CircuitStatus {
  /** Whether requests may be sent now. */
  readonly state: CircuitState
  /** When it opened or closed last; `undefined` when it never did. */
  readonly since: number | undefined
  /** When the next probe is due; `undefined` while the circuit is closed. */
  readonly nextProbeAt: number | undefined
  /** When Dex answered last, rejections included. */
  readonly lastAnswerAt: number | undefined
  /** The outage that lasts, else the last one. */
  readonly outage: OutageStatus | undefined
}
