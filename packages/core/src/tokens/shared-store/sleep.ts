import { setTimeout as pause } from 'node:timers/promises'

/** Waits for a time in milliseconds; rejects with the signal's reason when that is aborted. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => {})
  signal.throwIfAborted()
}
