/** Headers of `fetch` (any iterable of pairs) or in the form of Node's `request.headers`. */
export type HeaderValues =
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Converts `Headers`, or Node's `request.headers`, into header lines for a check. Throws a `TypeError` for anything else.
 *
 * Prefer Node's `request.rawHeaders`: the other two join or drop a header that appears twice, so that a check cannot refuse
 * it.
 */
export function headerLines(headers: HeaderValues): string[] {
  if (typeof headers !== 'object' || headers === null) throw wrongHeaders()
  const pairs = Symbol.iterator in headers ? [...headers] : Object.entries(headers).flatMap(linesOf)
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every(part => typeof part === 'string')) {
      throw wrongHeaders()
    }
  }
  return pairs.flat()
}

/** Refuses values that would be read as a request without headers; allocates nothing. */
export function assertHeaderLines(lines: unknown): asserts lines is readonly string[] {
  if (!Array.isArray(lines) || (lines.length > 0 && typeof lines[0] !== 'string')) {
    throw new TypeError(
      'headers must be header lines like rawHeaders of Node (name, value, name, value); headerLines() converts others',
    )
  }
}

function linesOf([name, value]: [string, unknown]): [string, string][] {
  if (value === undefined) return []
  return (Array.isArray(value) ? value : [value]).map(line => [name, line])
}

function wrongHeaders(): TypeError {
  return new TypeError('headers must be a Headers object, pairs, or headers of a Node request')
}
