import { type Schedule, systemTimers } from '../../shared/timers.ts'

/** The end of a call with a limit of time. */
export type CallEnd =
  | { readonly kind: 'answered'; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'timeout' }

/**
 * Waits for a call for a limited time, in milliseconds. Never rejects, also when the call throws, or rejects after its time.
 *
 * A late timer means that this process was busy: answers that arrived meanwhile are read first.
 */
export function boundedCall(
  call: () => unknown,
  timeoutMs: number,
  schedule: Schedule = systemTimers.waitedFor,
): Promise<CallEnd> {
  return new Promise(resolve => {
    const timer = schedule(() => setImmediate(resolve, { kind: 'timeout' }), timeoutMs)
    const end = (callEnd: CallEnd) => {
      timer.cancel()
      resolve(callEnd)
    }
    const failed = (error: unknown) => end({ kind: 'failed', error })
    try {
      Promise.resolve(call()).then(answer => end({ kind: 'answered', answer }), failed)
    } catch (error) {
      failed(error)
    }
  })
}
