import type { Clock, Moment } from '../../shared/clock.ts'

/** When no `expires_in` tells otherwise, in milliseconds. */
const defaultLifeMs = 60_000
/** Longer claims are cut to this; also keeps dates representable. */
const maxLifeMs = 366 * 24 * 60 * 60 * 1000

/**
 * How long a token may be used, on both clocks, counted from before the request was sent: what the network took is
 * part of its life.
 */
export interface TokenLife {
  /** The true expiry on the wall clock. */
  readonly expiresAt: number
  /** The true expiry on the monotonic clock. */
  readonly livesUntil: number
  /** The end of normal use on the monotonic clock: the true expiry less the safety margin, or the maximum age. */
  readonly usableUntil: number
  /** The end of use while Dex cannot answer, on the monotonic clock: a second before the true expiry. */
  readonly staleUntil: number
}

export interface LifeLimits {
  readonly safetyMarginMs: number
  /** From this age on a token is not used again, whatever its expiry; 0 for none. */
  readonly maxAgeMs: number
}

/** The last moment of a token is left alone: on its way to the backend it would expire. */
const lastMomentMs = 1_000

/** `expiresInSeconds`: as in the response; absent, zero or negative counts as 60 seconds. */
export function tokenLife(
  requestedAt: Moment,
  expiresInSeconds: number | undefined,
  { safetyMarginMs, maxAgeMs }: LifeLimits,
): TokenLife {
  const { ms, marginMs } =
    expiresInSeconds === undefined || expiresInSeconds <= 0
      ? { ms: defaultLifeMs, marginMs: 0 }
      : lifeWithMargin(Math.min(expiresInSeconds * 1000, maxLifeMs), safetyMarginMs)
  const oldestMs = maxAgeMs > 0 ? maxAgeMs : Number.POSITIVE_INFINITY
  const usableMs = Math.min(ms - marginMs, oldestMs)
  return {
    expiresAt: requestedAt.wall + ms,
    livesUntil: requestedAt.monotonic + ms,
    usableUntil: requestedAt.monotonic + usableMs,
    staleUntil: requestedAt.monotonic + Math.max(usableMs, Math.min(ms - lastMomentMs, oldestMs)),
  }
}

/** A life not longer than the margin would leave nothing to use: then the margin is a fifth of it. */
function lifeWithMargin(ms: number, safetyMarginMs: number): { ms: number; marginMs: number } {
  return { ms, marginMs: ms > safetyMarginMs ? safetyMarginMs : ms / 5 }
}

/** What is left until the true expiry: the lesser of what the two clocks say, never below 0. */
export function remainingMs(life: TokenLife, clock: Clock): number {
  return Math.max(0, Math.min(life.expiresAt - clock.wall(), life.livesUntil - clock.monotonic()))
}

export function isUsable(life: TokenLife, clock: Clock): boolean {
  return clock.monotonic() < life.usableUntil && clock.wall() < life.expiresAt
}

/** Whether a token may be handed out while Dex cannot answer; one that is usable may, too. */
export function isLiving(life: TokenLife, clock: Clock): boolean {
  return clock.monotonic() < life.staleUntil && clock.wall() < life.expiresAt - lastMomentMs
}
