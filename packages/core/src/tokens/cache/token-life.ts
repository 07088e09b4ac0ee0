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

/** What is known about the end of a token. */
export interface TokenEnd {
  /** As in the response; absent, zero or negative counts as 60 seconds. */
  readonly expiresInSeconds: number | undefined
  /** What the token itself says (`exp`), when it is a JWT; in milliseconds since the Unix epoch. Nobody accepts it for longer. */
  readonly expiresAt?: number | undefined
  /** When the token arrived, as the issuer's clock has it; in milliseconds since the Unix epoch. */
  readonly answeredAt?: number | undefined
}

export function tokenLife(
  requestedAt: Moment,
  { expiresInSeconds, expiresAt = Number.POSITIVE_INFINITY, answeredAt = requestedAt.wall }: TokenEnd,
  { safetyMarginMs, maxAgeMs }: LifeLimits,
): TokenLife {
  const isTold = expiresInSeconds !== undefined && expiresInSeconds > 0
  const toldMs = isTold ? Math.min(expiresInSeconds * 1000, maxLifeMs) : defaultLifeMs
  // By the earlier of the two clocks: where ours is ahead of the issuer's, each token would seem to have ended.
  const ms = Math.min(toldMs, expiresAt - Math.min(requestedAt.wall, answeredAt))
  // A life that nobody has told is short as it is.
  const marginMs = isTold || ms < toldMs ? marginOf(ms, safetyMarginMs) : 0
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
function marginOf(ms: number, safetyMarginMs: number): number {
  return ms > safetyMarginMs ? safetyMarginMs : ms / 5
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
