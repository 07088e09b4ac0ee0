const nanosecondsByUnit: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5, the micro sign
  μs: 1_000n, // U+03BC, the Greek letter mu
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const partPattern = /(?<whole>\d*)(?:\.(?<fraction>\d*))?(?<unit>ns|us|µs|μs|ms|s|m|h)/y
const maxInt64 = 2n ** 63n - 1n

/**
 * Reads a duration the way Go's `time.ParseDuration` does (`1m30s`, `500ms`, `1.5h`), in nanoseconds.
 *
 * Returns undefined if the text is not a duration. Unlike Go, it has no limit of 292 years: callers set a lower one.
 */
export function parseGoDuration(text: string): bigint | undefined {
  const negative = text.startsWith('-')
  const unsigned = text.replace(/^[+-]/, '')
  if (unsigned === '0') return 0n
  if (unsigned === '') return undefined
  let total = 0n
  let position = 0
  while (position < unsigned.length) {
    partPattern.lastIndex = position
    const { whole = '', fraction = '', unit = '' } = partPattern.exec(unsigned)?.groups ?? {}
    if (whole === '' && fraction === '') return undefined
    const scale = nanosecondsByUnit[unit] ?? 0n
    total += BigInt(whole) * scale + fractionOf(fraction, scale)
    position = partPattern.lastIndex
  }
  return negative ? -total : total
}

/**
 * Writes nanoseconds in Go's syntax, so that `parseGoDuration` reads the same value back.
 *
 * As Go's `Duration.String`, less the units that are zero at the end: `5m`, not `5m0s`.
 */
export function formatGoDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s'
  if (nanoseconds < 0n) return `-${formatGoDuration(-nanoseconds)}`
  if (nanoseconds < 1_000n) return `${nanoseconds}ns`
  if (nanoseconds < 1_000_000n) return `${decimal(nanoseconds, 3)}µs`
  if (nanoseconds < 1_000_000_000n) return `${decimal(nanoseconds, 6)}ms`
  const hours = nanoseconds / 3_600_000_000_000n
  const minutes = (nanoseconds / 60_000_000_000n) % 60n
  const seconds = nanoseconds % 60_000_000_000n
  const parts: string[] = []
  if (hours > 0n) parts.push(`${hours}h`)
  if (minutes > 0n || (hours > 0n && seconds > 0n)) parts.push(`${minutes}m`)
  if (seconds > 0n) parts.push(`${decimal(seconds, 9)}s`)
  return parts.join('')
}

/** The digits after the point, in nanoseconds; in floating point and truncated, because Go does it so. */
function fractionOf(digits: string, scale: bigint): bigint {
  let value = 0n
  let divisor = 1
  for (const digit of digits) {
    if (value > maxInt64 / 10n) break
    value = value * 10n + BigInt(digit)
    divisor *= 10
  }
  return BigInt(Math.trunc(Number(value) * (Number(scale) / divisor)))
}

function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, '0')
  const fraction = digits.slice(-places).replace(/0+$/, '')
  return fraction === '' ? digits.slice(0, -places) : `${digits.slice(0, -places)}.${fraction}`
}
