import { optionRules } from './broker-options.ts'

type Rules = typeof optionRules
type NumberPath = { [Path in keyof Rules]: Rules[Path] extends { min: number } ? Path : never }[keyof Rules]

/** The numeric options of an object: `''` for the broker's, `'gate.'` for the gate's. */
export type OptionNumbers<Prefix extends string> = {
  readonly [Path in NumberPath as Path extends `${Prefix}${infer Name}`
    ? Name extends `${string}.${string}`
      ? never
      : Name
    : never]: number
}

export interface NumberRule {
  readonly unit: 'ms' | 'entries' | 'ratio'
  readonly default: number
  readonly min: number
  readonly max: number
}

/** Returns the numeric options of an object with defaults. Throws a `TypeError` that starts with the name of a wrong option. */
export function optionNumbers<Prefix extends '' | 'gate.'>(
  options: object,
  prefix: Prefix,
): OptionNumbers<Prefix> {
  const numbers: Record<string, number> = {}
  for (const [path, rule] of Object.entries(optionRules)) {
    const name = path.slice(prefix.length)
    if (!('min' in rule) || !path.startsWith(prefix) || name.includes('.')) continue
    const value = (options as Record<string, unknown>)[name] ?? rule.default
    assertOptionNumber(value, path, rule)
    numbers[name] = value
  }
  return numbers as OptionNumbers<Prefix>
}

/** Throws a `TypeError` that starts with the option's name for a value outside its rule. */
export function assertOptionNumber(
  value: unknown,
  option: string,
  { unit, min, max }: NumberRule,
): asserts value is number {
  if (unit === 'ratio') {
    if (typeof value === 'number' && value > min && value <= max) return
    throw new TypeError(`${option} must be a number greater than ${min}, at most ${max}`)
  }
  const isInRange = typeof value === 'number' && value >= min && value <= max
  if (isInRange && (unit === 'ms' || Number.isInteger(value))) return
  const what = unit === 'ms' ? 'number of milliseconds' : 'whole number'
  throw new TypeError(`${option} must be a ${what} from ${min} to ${max}`)
}
