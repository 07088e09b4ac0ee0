import { httpDate } from './http/http-date.ts'

/** `Date` counts whole seconds (RFC 9110 section 5.6.7), in milliseconds. */
export const dateResolutionMs = 1_000

/** An answer of a server, on the wall clock of this host in milliseconds since the Unix epoch. */
export interface DatedAnswer {
  /** When the request was sent, in milliseconds since the Unix epoch. */
  readonly sentAt: number
  /** When the answer arrived, in milliseconds since the Unix epoch. */
  readonly receivedAt: number
  /** The value of a header field; `null` or `undefined` without one. */
  header(name: 'date' | 'age'): string | null | undefined
}

/** Bounds of how far the clock of this host is ahead of the clock of a server, in milliseconds; negative when it is behind. */
export interface ClockDifference {
  /** The lower bound, in milliseconds; negative when this host may be behind. */
  readonly atLeast: number
  /** The upper bound, in milliseconds. */
  readonly atMost: number
}

/**
 * Compares the clock of this host with the `Date` of an answer, which was made between the request and its arrival, in the second that it
 * names. `undefined` without a `Date`, and for the answer of a cache, which repeats the `Date` of another time.
 */
export function clockDifference({ sentAt, receivedAt, header }: DatedAnswer): ClockDifference | undefined {
  const date = httpDate(header('date'))
  if (Number.isNaN(date) || (header('age') ?? undefined) !== undefined) return undefined
  return { atLeast: sentAt - (date + dateResolutionMs), atMost: receivedAt - date }
}

/** The part of a difference that is certain, in milliseconds: 0 when the clocks may agree. */
export function certainSkewMs({ atLeast, atMost }: ClockDifference): number {
  return Math.round(Math.max(0, atLeast) + Math.min(0, atMost))
}
