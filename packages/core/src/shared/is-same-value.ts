/**
 * Compares the values from which a part is made: arrays and plain objects by their content, everything else by identity. An
 * instance of a class has private state, so that two of them are never the same.
 */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => isSameValue(value, b[index]))
  }
  return isPlain(a) && isPlain(b) && haveSameContent(a, b)
}

type PlainObject = Readonly<Record<string, unknown>>

function isPlain(value: unknown): value is PlainObject {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function haveSameContent(a: PlainObject, b: PlainObject): boolean {
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every(name => Object.hasOwn(b, name) && isSameValue(a[name], b[name]))
  )
}
