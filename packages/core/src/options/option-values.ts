import { headerNameProblem, type ReservedHeaderPrefixes } from './header-name.ts'

/** Returns a value of the right type, or throws a `TypeError` with the option's name. `null` counts as absent. */
export function checked<T>(value: T, option: string, type: 'boolean' | 'function' | 'string'): T {
  if (value !== undefined && value !== null && typeof value !== type) {
    throw new TypeError(`${option} must be a ${type}`)
  }
  return value
}

/** Refuses an empty value, which is usually an unset variable and must not open the gate. */
export function given<T extends string | readonly string[]>(
  value: T | undefined,
  option: string,
): T | undefined {
  if (value === undefined || value === null) return undefined
  if (value.length === 0 || (typeof value !== 'string' && value.some(item => item === ''))) {
    throw new TypeError(`${option} must not be empty; omit it to accept any value`)
  }
  return value
}

export function strings(value: unknown, option: string): string[] {
  if (!Array.isArray(value) || !value.every(item => typeof item === 'string')) {
    throw new TypeError(`${option} must be an array of strings`)
  }
  return [...value]
}

export function oneOrMore<T>(value: string | T): readonly string[] | T {
  return typeof value === 'string' ? [value] : value
}

export function withMethods<T extends object>(
  value: T | undefined,
  option: string,
  names: readonly (keyof T & string)[],
): T | undefined {
  for (const name of value ? names : []) {
    if (typeof value?.[name] !== 'function') throw new TypeError(`${option} must have the method ${name}`)
  }
  return value
}

/** Validates a header name and returns it in lower case. */
export function headerName(name: unknown, option: string, reservedPrefixes: ReservedHeaderPrefixes): string {
  if (typeof name !== 'string') throw new TypeError(`${option} must be a header name`)
  const problem = headerNameProblem(name, reservedPrefixes)
  if (problem !== undefined) throw new TypeError(`${option}: ${JSON.stringify(name)} ${problem}`)
  return name.toLowerCase()
}

/** Throws a `TypeError` for an unknown name, because a misspelt option would be ignored silently. */
export function assertKnownNames(options: unknown, known: readonly string[], prefix = ''): void {
  if (options === undefined || options === null) return
  assertPlainObject(options, prefix === '' ? 'options' : prefix.slice(0, -1))
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw unknownName(name, known, prefix)
  }
}

/** The error for a name that is not one of the known ones. */
export function unknownName(name: string, known: readonly string[], prefix = ''): TypeError {
  // Dex ignores a parameter `audience` silently, while for other servers it is the one that counts.
  const isAmbiguous = name === 'audience' && known.includes('extraParams')
  const advice = isAmbiguous
    ? `use ${prefix}audiences for the client ids of Dex's peers, or ${prefix}extraParams.audience for the parameter of other servers`
    : `known options: ${known.join(', ')}`
  return new TypeError(`${prefix}${name} is not an option; ${advice}`)
}

/**
 * Refuses a promise, an array, a map and the like in place of an object with options: none of them has the names, so each
 * would count as empty.
 */
export function assertPlainObject(value: unknown, option: string): asserts value is object {
  if (Object.prototype.toString.call(value) !== '[object Object]') {
    throw new TypeError(`${option} must be an object`)
  }
  if (typeof (value as { then?: unknown }).then === 'function') {
    throw new TypeError(`${option} must be an object, not a promise; await it first`)
  }
}
