/**
 * Reads a whole decimal number the way Go's `strconv.Atoi` does, sign included; undefined for anything else.
 *
 * Numbers beyond 2^53 lose digits: callers set a lower limit.
 */
export function parseGoInteger(text: string): number | undefined {
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined
}
