/** Headers as `fetch` (any iterable of pairs) or `request.headers` of Node gives them. */
export type HeaderValues =
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Header lines for a check, from `Headers` or from `request.headers` of Node; throws a `TypeError` for anything else.
 *
 * Prefer `request.rawHeaders` of Node: in both of the others a header that appears twice is joined or has lost a line, so
 * that a check cannot refuse it.
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

/** Refuses, at no cost, what would be read as a request without headers. */
export function assertHeaderLines(lines: unknown): asserts lines is readonly string[] {
  if (!Array.isArray(lines) || (lines.length > 0 && typeof lines[0] !== 'string')) {
    throw new TypeError(
      'headers must be header lines as rawHeaders of Node gives them (name, value, name, value); headerLines() makes them of others',
    )
  }
}

function linesOf([name, value]: [string, unknown]): [string, string][] {
  if (value === undefined) return []
  return (Array.isArray(value) ? value : [value]).map(line => [name, line])
}

function wrongHeaders(): TypeError {
  return new TypeError('headers must be a Headers object, pairs, or headers as Node gives them')
}
