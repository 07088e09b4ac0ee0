const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

/** The longest duration, in milliseconds: 10 years. Later expiry dates help no test. */
const longestMs = 10 * 365 * 24 * unitsMs.h

/** Reads a duration as Go and Dex write it, such as `90s` or `1h30m`, in milliseconds; `undefined` for any other text, 0 and over 10 years. */
export function durationMs(text: string): number | undefined {
  if (!/^(?:\d{1,12}(?:ms|s|m|h)){1,4}$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h)/g)) {
    total += Number(amount) * unitsMs[unit as keyof typeof unitsMs]
  }
  return total > 0 && total <= longestMs ? total : undefined
}
