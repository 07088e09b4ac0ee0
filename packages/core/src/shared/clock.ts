/**
 * Two clocks, in milliseconds. Neither is enough alone: the wall clock jumps, and the monotonic clock stops while a machine
 * is suspended.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump forwards and backwards. */
  wall(): number
  /** Milliseconds since an arbitrary start; never decreases. */
  monotonic(): number
}

export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
}

/** One moment on both clocks. */
export interface Moment {
  readonly wall: number
  readonly monotonic: number
}

export function momentOf(clock: Clock): Moment {
  return { wall: clock.wall(), monotonic: clock.monotonic() }
}

/** Milliseconds since a moment. The larger value of the two clocks counts, so that an age is never underestimated. */
export function elapsedMs(since: Moment, clock: Clock): number {
  return Math.max(clock.wall() - since.wall, clock.monotonic() - since.monotonic)
}

/** The wall clock's time after a delay, in whole milliseconds, for people. */
export function wallTimeIn(delayMs: number, clock: Clock): number {
  return Math.round(clock.wall() + delayMs)
}
