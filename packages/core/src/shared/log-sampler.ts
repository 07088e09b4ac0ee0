import type { Clock } from './clock.ts'
import { logContext } from './log-context.ts'
import { type Schedule, systemTimers } from './timers.ts'

/** Kinds of log lines that are sampled, each kind by itself. A closed set, because each kind takes memory. */
export type SampledKind =
  | `jwt_refusal ${string}`
  | `denied_by_rule ${string}`
  | `refused ${string}`
  | 'not_allowed'
  | 'unusable_choice'
  | 'unusable_context'
  | 'missing_credentials'
  | `client_secret_unavailable ${string}`
  | 'signatures_overloaded'
  | 'rejected_credentials'
  | 'rejected_subjects'
  | 'exchanges_of_one_user'
  | 'signing_key_changed'
  | 'token_endpoint_recovered'
  | 'shared_store_unreadable'

/** Writes a line; `count` is the number of events that it stands for, including itself. */
export type WriteSampled = (count: number) => void

const windowMs = 10_000

interface Window {
  readonly endsAt: number
  /** Events that have no line yet. */
  held: number
  /** Writes the line of the last event that has none yet. A written one is not kept: it can hold a JWT. */
  write: WriteSampled | undefined
  timer: { cancel(): void } | undefined
}

/**
 * Keeps lines that unauthenticated callers can cause from filling the log. The first line of a kind is written at once, then one every
 * 10 seconds with the number of events.
 */
export class LogSampler {
  readonly #clock: Clock
  readonly #schedule: Schedule
  readonly #windows = new Map<SampledKind, Window>()

  constructor(clock: Clock, schedule: Schedule = systemTimers.background) {
    this.#clock = clock
    this.#schedule = schedule
  }

  /** Notes an event. `write` is called now, later for several events, or never when a later event replaces it. */
  note(kind: SampledKind, write: WriteSampled): void {
    const now = this.#clock.monotonic()
    const window = this.#windows.get(kind)
    if (window === undefined || now >= window.endsAt) {
      window?.timer?.cancel()
      this.#windows.set(kind, newWindow(now))
      write(1 + (window?.held ?? 0))
      return
    }
    window.held++
    // A later check, or a timer, writes it.
    window.write = logContext.bind(write)
    window.timer ??= this.#schedule(() => this.#flush(kind), window.endsAt - now)
  }

  /** Writes the lines that are held back. */
  close(): void {
    for (const kind of this.#windows.keys()) this.#flush(kind)
  }

  #flush(kind: SampledKind): void {
    const window = this.#windows.get(kind)
    this.#windows.delete(kind)
    window?.timer?.cancel()
    if (window !== undefined && window.held > 0) {
      const now = this.#clock.monotonic()
      this.#windows.set(kind, newWindow(now))
      window.write?.(window.held)
    }
  }
}

function newWindow(now: number): Window {
  return { endsAt: now + windowMs, held: 0, write: undefined, timer: undefined }
}
