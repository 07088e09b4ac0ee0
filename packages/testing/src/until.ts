import { setTimeout as delay } from 'node:timers/promises'

/** Waits until something that another party decides on holds; fails when it does not in time. `what` is for the failure. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string = String(condition),
  deadlineMs = 15_000,
): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${deadlineMs} ms`)
    await delay(5)
  }
}

/** A promise's value, or a failure that says what was waited for. */
export async function within<T>(promise: Promise<T>, what: string, deadlineMs = 5_000): Promise<T> {
  const settled = new AbortController()
  const late = delay(deadlineMs, undefined, { signal: settled.signal }).then(
    () => Promise.reject(new Error(`${what}: not within ${deadlineMs} ms`)),
    () => new Promise<never>(() => {}),
  )
  try {
    return await Promise.race([promise, late])
  } finally {
    settled.abort()
  }
}
