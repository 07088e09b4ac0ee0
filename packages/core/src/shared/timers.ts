import { logContext } from './log-context.ts'

/** Runs a function after a delay in milliseconds, unless it is cancelled before. */
export type Schedule = (run: () => void, delayMs: number) => { cancel(): void }

/** The timers of a broker. */
export interface Timers {
  /** For something that somebody waits for: keeps the process alive until then. */
  readonly waitedFor: Schedule
  /** Keeps no process alive, and belongs to no check: a check that sets it has an answer long before it ends. */
  readonly background: Schedule
}

export const systemTimers: Timers = {
  waitedFor: (run, delayMs) => {
    const timer = setTimeout(run, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
  background: (run, delayMs) => {
    const timer = logContext.without(() => setTimeout(run, delayMs).unref())
    return { cancel: () => clearTimeout(timer) }
  },
}
