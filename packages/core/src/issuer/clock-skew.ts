import { type Moment, momentOf } from '../shared/clock.ts'
import type { Hint } from '../shared/hint.ts'
import type { TransportResponse } from '../shared/http/transport.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { ClockSkewStatus } from '../status/issuer-status.ts'

/** `Date` omits fractions of a second. */
const resolutionMs = 1_000
/** A jump of the wall clock that makes a measurement useless. */
const jumpMs = 500
/** A warning begins above this difference, */
const warnAboveMs = 2_000
/** and ends below this one: the same difference measures up to a second more or less. */
const endBelowMs = 1_000

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

  /** Measures by an answer. Ignores the answers of caches, which repeat the `Date` of another time. */
  answered(sentAt: Moment, { headers }: Pick<TransportResponse, 'headers'>): void {
    const date = Date.parse(headers.get('date') ?? '')
    if (Number.isNaN(date) || headers.get('age') !== null) return
    const now = momentOf(this.#surroundings.clock)
    // By the monotonic clock, because the other one can jump during the request.
    const receivedAt = sentAt.wall + (now.monotonic - sentAt.monotonic)
    const atLeast = sentAt.wall - (date + resolutionMs)
    const atMost = receivedAt - date
    this.#measured = { skewMs: Math.round(Math.max(0, atLeast) + Math.min(0, atMost)), at: now }
    this.#report(this.#measured.skewMs)
  }

  #report(skewMs: number): void {
    const { logger, describeHint } = this.#surroundings
    const { issuer } = this.#options
    const fields = { issuer, clockSkewSeconds: skewMs / 1000 }
    const { hint } = this
    if (hint !== undefined && !this.#hasWarned && Math.abs(skewMs) > warnAboveMs) {
      this.#hasWarned = true
      logger.warn({ ...fields, hint: describeHint(hint) }, 'clock of this host differs from the issuer')
    } else if (this.#hasWarned && Math.abs(skewMs) < endBelowMs) {
      this.#hasWarned = false
      logger.info(fields, 'clock of this host agrees with the issuer again')
    }
  }
}
