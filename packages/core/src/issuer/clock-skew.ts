import { type Clock, type Moment, momentOf } from '../shared/clock.ts'
import type { TransportResponse } from '../shared/http/transport.ts'
import type { ClockSkewStatus } from '../status/issuer-status.ts'

/** `Date` omits fractions of a second. */
const resolutionMs = 1_000
/** A jump of the wall clock that makes a measurement useless, in milliseconds. */
const jumpMs = 500

/** Measures the difference between the clock of this host and the clock of an issuer, by the `Date` of its answers. */
export class ClockSkew {
  readonly #clock: Clock
  #measured: { readonly skewMs: number; readonly at: Moment } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The last measurement; `undefined` without one, and after a jump of the wall clock, which a suspended machine seems to make. */
  get status(): ClockSkewStatus | undefined {
    if (this.#measured === undefined) return undefined
    const { skewMs, at } = this.#measured
    const wallMs = this.#clock.wall() - at.wall
    const monotonicMs = this.#clock.monotonic() - at.monotonic
    return Math.abs(wallMs - monotonicMs) > jumpMs ? undefined : { skewMs, measuredAt: at.wall }
  }

  /** Measures by an answer. Ignores the answers of caches, which repeat the `Date` of another time. */
  answered(sentAt: Moment, { headers }: Pick<TransportResponse, 'headers'>): void {
    const date = Date.parse(headers.get('date') ?? '')
    if (Number.isNaN(date) || headers.get('age') !== null) return
    const now = momentOf(this.#clock)
    // By the monotonic clock, because the other one can jump during the request.
    const receivedAt = sentAt.wall + (now.monotonic - sentAt.monotonic)
    const atLeast = sentAt.wall - (date + resolutionMs)
    const atMost = receivedAt - date
    this.#measured = { skewMs: Math.round(Math.max(0, atLeast) + Math.min(0, atMost)), at: now }
  }
}
