import type { Clock, Moment } from '../../shared/clock.ts'

/** The life of a token without `expires_in`, in milliseconds. */
const defaultLifeMs = 60_000
/** The longest life; keeps dates representable. */
const maxLifeMs = 366 * 24 * 60 * 60 * 1000

/** The life of a token on both clocks. It starts before the request was sent, so that network time counts. */
export interface TokenLife {
  /** The moment before the request was sent, on the monotonic clock. */
  readonly from: number
  /** The true expiry on the wall clock. */
  readonly expiresAt: number
  /** The true expiry on the monotonic clock. */
  readonly livesUntil: number
  /** The end of normal use on the monotonic clock: true expiry minus safety margin, or the maximum age. */
  readonly usableUntil: number
  /** The end of use while Dex is unavailable, on the monotonic clock: a second before the true expiry. */
  readonly staleUntil: number
}

export interface LifeLimits {
  readonly safetyMarginMs: number
  /** Age from which a token is not used, whatever its expiry; 0 for no limit. */
  readonly maxAgeMs: number
}

/** The last part of a life is not used, because the token would expire on its way to the backend. */
const lastMomentMs = 1_000

/** The facts about the end of a token. */
export interface TokenEnd {
  /** `expires_in` of the response; absent, zero or negative counts as 60 seconds. */
  readonly expiresInSeconds: number | undefined
  /** `exp` of a token that is a JWT, in milliseconds since the Unix epoch. No backend accepts it for longer. */
  readonly expiresAt?: number | undefined
  /** The issuer's time of the answer, in milliseconds since the Unix epoch. */
  readonly answeredAt?: number | undefined
  /** `exp` of the subject token of an exchange, in milliseconds since the Unix epoch. By the local clock, and without a margin. */
  readonly subjectExpiresAt?: number | undefined
}

export function tokenLife(
  requestedAt: Moment,
  {
    expiresInSeconds,
    expiresAt = Number.POSITIVE_INFINITY,
    answeredAt = requestedAt.wall,
    subjectExpiresAt = Number.POSITIVE_INFINITY,
  }: TokenEnd,
  { safetyMarginMs, maxAgeMs }: LifeLimits,
): TokenLife {
  const isTold = expiresInSeconds !== undefined && expiresInSeconds > 0
  const toldMs = isTold ? Math.min(expiresInSeconds * 1000, maxLifeMs) : defaultLifeMs
  // The earlier of the two clocks counts: with a local clock ahead of the issuer's, each token would seem expired.
  const ms = Math.min(toldMs, expiresAt - Math.min(requestedAt.wall, answeredAt))
  // The default life is short enough without a margin.
  const marginMs = isTold || ms < toldMs ? marginOf(ms, safetyMarginMs) : 0
  const subjectMs = subjectExpiresAt - requestedAt.wall
  // The margin is for the way to the backend, which does not know the subject token.
  const oldestMs = Math.min(maxAgeMs > 0 ? maxAgeMs : Number.POSITIVE_INFINITY, subjectMs)
  const usableMs = Math.min(ms - marginMs, oldestMs)
  return {
    from: wholeMs(requestedAt.monotonic),
    expiresAt: requestedAt.wall + Math.min(ms, subjectMs),
    livesUntil: wholeMs(requestedAt.monotonic + Math.min(ms, subjectMs)),
    usableUntil: wholeMs(requestedAt.monotonic + usableMs),
    staleUntil: wholeMs(requestedAt.monotonic + Math.max(usableMs, Math.min(ms - lastMomentMs, oldestMs))),
  }
}

/** A time on the monotonic clock, at most a millisecond earlier: V8 keeps a number with a fraction in an object of 16 bytes. */
export function wholeMs(monotonic: number): number {
  return Math.floor(monotonic)
}

/** A life shorter than the margin would leave no time for use: the margin is then a fifth of it. */
function marginOf(ms: number, safetyMarginMs: number): number {
  return ms > safetyMarginMs ? safetyMarginMs : ms / 5
}

/** Milliseconds until the true expiry: the smaller value of the two clocks, at least 0. */
export function remainingMs(life: TokenLife, clock: Clock): number {
  return Math.max(0, Math.min(life.expiresAt - clock.wall(), life.livesUntil - clock.monotonic()))
}

/** The part of a life that has passed, from 0 to 1. */
export function lifeRatio({ from, livesUntil }: TokenLife, clock: Clock): number {
  return (clock.monotonic() - from) / (livesUntil - from)
}

export function isUsable(life: TokenLife, clock: Clock): boolean {
  return clock.monotonic() < life.usableUntil && clock.wall() < life.expiresAt
}

/** Milliseconds until the end of normal use: the smaller value of the two clocks, at least 0. */
export function usableMs(life: TokenLife, clock: Clock): number {
  return Math.max(0, Math.min(life.usableUntil - clock.monotonic(), life.expiresAt - clock.wall()))
}

/** Tells whether a token may be used while Dex is unavailable; a usable token may as well. */
export function isLiving(life: TokenLife, clock: Clock): boolean {
  return clock.monotonic() < life.staleUntil && clock.wall() < life.expiresAt - lastMomentMs
}
