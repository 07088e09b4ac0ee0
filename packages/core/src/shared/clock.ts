/**
 * Two clocks, because neither is enough alone: the wall clock jumps, the monotonic one stands still while a machine
 * is suspended. Both in milliseconds.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump both ways. */
  wall(): number
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonic(): number
}

export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
}

/** A moment on both clocks. */
export interface Moment {
  readonly wall: number
  readonly monotonic: number
}

export function momentOf(clock: Clock): Moment {
  return { wall: clock.wall(), monotonic: clock.monotonic() }
}

/** Milliseconds since a moment: the larger of what the two clocks say, so that age is never underestimated. */
export function elapsedMs(since: Moment, clock: Clock): number {
  return Math.max(clock.wall() - since.wall, clock.monotonic() - since.monotonic)
}
