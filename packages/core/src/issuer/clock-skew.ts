import { type Moment, momentOf } from '../shared/clock.ts'
import { certainSkewMs, clockDifference, dateResolutionMs } from '../shared/clock-difference.ts'
import { clockSkewSeverity } from '../shared/clock-skew-severity.ts'
import type { Hint } from '../shared/hint.ts'
import type { TransportResponse } from '../shared/http/transport.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { ClockSkewStatus } from '../status/issuer-status.ts'

/** A jump of the wall clock that makes a measurement useless. */
const jumpMs = 500
/** A warning ends below this difference, and not where it began: the same difference measures up to a second more or less. */
const endBelowMs = dateResolutionMs

export interface ClockSkewOptions {
  /** The name of the issuer. */
  readonly issuer: string
  /** An option of the issuer, for hints. */
  readonly option: string
}

/** Measures the difference between the clock of this host and the clock of an issuer, by the `Date` of its answers. */
export class ClockSkew {
  readonly #surroundings: Pick<Surroundings, 'clock' | 'logger' | 'describeHint'>
  readonly #options: ClockSkewOptions
  #measured: { readonly skewMs: number; readonly at: Moment } | undefined
  #hasWarned = false

  constructor(
    surroundings: Pick<Surroundings, 'clock' | 'logger' | 'describeHint'>,
    options: ClockSkewOptions,
  ) {
    this.#surroundings = surroundings
    this.#options = options
  }

  /** The last measurement; `undefined` without one, and after a jump of the wall clock, which a suspended machine seems to make. */
  get status(): ClockSkewStatus | undefined {
    if (this.#measured === undefined) return undefined
    const { skewMs, at } = this.#measured
    const now = momentOf(this.#surroundings.clock)
    const hasJumped = Math.abs(now.wall - at.wall - (now.monotonic - at.monotonic)) > jumpMs
    return hasJumped ? undefined : { skewMs, measuredAt: at.wall }
  }

  /** The hint about a difference that is known; `undefined` when the clocks may agree. */
  get hint(): Hint | undefined {
    const { skewMs } = this.status ?? { skewMs: 0 }
    if (skewMs === 0) return undefined
    const detail = `${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? 'ahead of' : 'behind'}`
    return { problem: 'clocks_differ', option: this.#options.option, detail }
  }

  /** Measures by an answer, unless it has no `Date` or came from a cache. */
  answered(sentAt: Moment, { headers }: Pick<TransportResponse, 'headers'>): void {
    const now = momentOf(this.#surroundings.clock)
    // By the monotonic clock, because the other one can jump during the request.
    const receivedAt = sentAt.wall + (now.monotonic - sentAt.monotonic)
    const header = (name: string) => headers.get(name)
    const difference = clockDifference({ sentAt: sentAt.wall, receivedAt, header })
    if (difference === undefined) return
    this.#measured = { skewMs: certainSkewMs(difference), at: now }
    this.#report(this.#measured.skewMs)
  }

  #report(skewMs: number): void {
    const { logger, describeHint } = this.#surroundings
    const { issuer } = this.#options
    const fields = { issuer, clockSkewSeconds: skewMs / 1000 }
    const { hint } = this
    if (hint !== undefined && !this.#hasWarned && clockSkewSeverity(skewMs) !== 'none') {
      this.#hasWarned = true
      logger.warn({ ...fields, hint: describeHint(hint) }, 'clock of this host differs from the issuer')
    } else if (this.#hasWarned && Math.abs(skewMs) < endBelowMs) {
      this.#hasWarned = false
      logger.info(fields, 'clock of this host agrees with the issuer again')
    }
  }
}
