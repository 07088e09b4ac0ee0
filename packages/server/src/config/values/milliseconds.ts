import { formatGoDuration, parseGoDuration } from './go-duration.ts'
import { quoteValue } from './quote-value.ts'
import { Refusal } from './refusal.ts'

const nanosecondsPerMillisecond = 1_000_000n

/**
 * Reads a duration in Go's syntax as whole milliseconds, rounded up: a timer of half a millisecond has no meaning here.
 */
export function parseMilliseconds(
  text: string,
  { min, max }: { readonly min: number; readonly max?: number | undefined },
): number {
  const nanoseconds = parseGoDuration(text)
  if (nanoseconds === undefined) throw new Refusal(`${quoteValue(text)} is not a duration`)
  if (nanoseconds < 0n) throw new Refusal(`${quoteValue(text)} is negative`)
  if (max !== undefined && nanoseconds > BigInt(max) * nanosecondsPerMillisecond) {
    throw new Refusal(`${quoteValue(text)} is longer than ${formatMilliseconds(max)}`)
  }
  if (nanoseconds < BigInt(min) * nanosecondsPerMillisecond) {
    throw new Refusal(`${quoteValue(text)} is shorter than ${formatMilliseconds(min)}`)
  }
  return Number((nanoseconds + nanosecondsPerMillisecond - 1n) / nanosecondsPerMillisecond)
}

export function formatMilliseconds(milliseconds: number): string {
  return formatGoDuration(BigInt(milliseconds) * nanosecondsPerMillisecond)
}
