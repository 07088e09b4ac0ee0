import type { Clock } from './clock.ts'

/** Kinds of lines that strangers can cause, each of them sampled for itself. A closed set, because each is remembered. */
export type SampledKind =
  | `jwt_refusal ${string}`
  | 'missing_credentials'
  | 'signatures_overloaded'
  | 'rejected_credentials'
  | 'signing_key_changed'
  | 'token_endpoint_recovered'

/** Writes a line; `count` is how many events it stands for, itself included. */
export type WriteSampled = (count: number) => void

/** Runs something later, unless it is cancelled before. */
export type Schedule = (run: () => void, delayMs: number) => { cancel(): void }

const windowMs = 10_000

interface Window {
  readonly endsAt: number
  /** Events without a line so far. */
  held: number
  /** Writes the last of them. */
  write: WriteSampled
  timer: { cancel(): void } | undefined
}

/**
 * Keeps lines that strangers can cause from filling the log: of each kind the first is written at once, then one in 10
 * seconds that says how many there were.
 */
export class LogSampler {
  readonly #clock: Clock
  readonly #schedule: Schedule
  readonly #windows = new Map<SampledKind, Window>()

  constructor(clock: Clock, schedule: Schedule = byTimer) {
    this.#clock = clock
    this.#schedule = schedule
  }

  /** Takes note of an event; `write` is called now, or later for it and others, or never when a later one stands for it. */
  note(kind: SampledKind, write: WriteSampled): void {
    const now = this.#clock.monotonic()
    const window = this.#windows.get(kind)
    if (window === undefined || now >= window.endsAt) {
      window?.timer?.cancel()
      this.#windows.set(kind, { endsAt: now + windowMs, held: 0, write, timer: undefined })
      write(1 + (window?.held ?? 0))
      return
    }
    window.held++
    window.write = write
    window.timer ??= this.#schedule(() => this.#flush(kind), window.endsAt - now)
  }

  /** Writes what is held back. */
  close(): void {
    for (const kind of this.#windows.keys()) this.#flush(kind)
  }

  #flush(kind: SampledKind): void {
    const window = this.#windows.get(kind)
    this.#windows.delete(kind)
    window?.timer?.cancel()
    if (window !== undefined && window.held > 0) {
      const now = this.#clock.monotonic()
      this.#windows.set(kind, { endsAt: now + windowMs, held: 0, write: window.write, timer: undefined })
      window.write(window.held)
    }
  }
}

/** Keeps no process alive. */
function byTimer(run: () => void, delayMs: number): { cancel(): void } {
  const timer = setTimeout(run, delayMs).unref()
  return { cancel: () => clearTimeout(timer) }
}
