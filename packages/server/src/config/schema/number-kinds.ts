import { parseGoInteger } from '../values/go-integer.ts'
import { quoteValue } from '../values/quote-value.ts'
import { Refusal } from '../values/refusal.ts'
import type { Kind } from './variable.ts'

/** A whole number. */
export const count: Kind<number> = {
  type: ({ min = 0, max }) =>
    min > 0 ? `whole number from ${min} to ${max}` : `whole number, at most ${max}`,
  parse: (text, { min = 0, max = Number.MAX_SAFE_INTEGER }) => {
    const value = parseGoInteger(text)
    if (value === undefined) throw new Refusal(`${quoteValue(text)} is not a whole number`)
    if (value < 0) throw new Refusal(`${quoteValue(text)} is negative`)
    if (value < min) throw new Refusal(`${quoteValue(text)} is less than ${min}`)
    if (value > max) throw new Refusal(`${quoteValue(text)} is more than ${max}`)
    return value + 0 // turns -0 into 0
  },
  format: String,
}

/** A fraction: a decimal number above `min` and not above `max`. */
export const ratio: Kind<number> = {
  type: ({ min, max }) => `number above ${min}, at most ${max}`,
  parse: (text, { min = 0, max = 1 }) => {
    const value = parseDecimal(text)
    if (value === undefined) throw new Refusal(`${quoteValue(text)} is not a number above ${min}`)
    if (value <= min) throw new Refusal(`${quoteValue(text)} is not above ${min}`)
    if (value > max) throw new Refusal(`${quoteValue(text)} is more than ${max}`)
    return value
  },
  format: String,
}

/** A decimal number from `min` to `max`. */
export const fraction: Kind<number> = {
  type: ({ min, max }) => `number from ${min} to ${max}`,
  parse: (text, { min = 0, max = 1 }) => {
    const value = parseDecimal(text)
    if (value === undefined || value < min || value > max)
      throw new Refusal(`${quoteValue(text)} is not a number from ${min} to ${max}`)
    return value
  },
  format: String,
}

function parseDecimal(text: string): number | undefined {
  return /^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}
