import { Worker } from 'node:worker_threads'
import type { FailedCall } from './failure-report.ts'

/** Ends the process from another thread when the main thread cannot: it may wait in a system call, of a file system for instance. */
export class Watchdog {
  readonly #worker: Worker

  constructor(call: WatchedCall) {
    this.#worker = new Worker(new URL('./watchdog-worker.js', import.meta.url), { workerData: call })
    this.#worker.unref()
    // Without it, the process ends by its own timer.
    this.#worker.on('error', () => {})
  }

  /** Tells what the main thread does from now on, in words that follow "it was still". */
  tell(step: string): void {
    this.#worker.postMessage(step)
  }
}

/** The call to report when the time is up. */
export interface WatchedCall extends Omit<FailedCall, 'reason'> {
  /** After the start of the process, for the message. */
  readonly deadlineMs: number
  /** The rest of it. */
  readonly remainingMs: number
}
