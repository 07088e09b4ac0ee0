import { ruleLimits } from './rule-limits.ts'

/** A claim as CEL reads it. Maps, because a plain object would show a claim `constructor` as its class. */
export type CelValue = string | number | bigint | boolean | null | CelValue[] | Map<string, CelValue>

/** Converts a JSON object. Whole numbers become `int`, other numbers `double`. */
export function celMapOf(source: Readonly<Record<string, unknown>>): Map<string, CelValue> {
  const result = new Map<string, CelValue>()
  for (const key of Object.keys(source)) result.set(key, celValueOf(source[key]))
  return result
}

function celValueOf(value: unknown): CelValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      // Beyond 2^53 the digits of a JSON number are lost already: as an int it could equal a number that it is not.
      return Number.isSafeInteger(value) ? BigInt(value) : value
    case 'object':
      if (value === null) return null
      if (Array.isArray(value)) return value.map(celValueOf)
      return celMapOf(value as Readonly<Record<string, unknown>>)
    default:
      return null
  }
}

/** Whether a list or map in a JSON value has too many items for rules, or is nested too deep. */
export function exceedsLimits(value: unknown, depth: number = ruleLimits.claimsDepth): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  const items = Array.isArray(value) ? value : Object.values(value)
  if (items.length > ruleLimits.listItems) return true
  for (const item of items) if (exceedsLimits(item, depth - 1)) return true
  return false
}
