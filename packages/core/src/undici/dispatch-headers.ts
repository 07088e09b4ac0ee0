type HeaderValue = string | string[] | undefined

/** The headers of a dispatch by name, as written; a repeated name has several values. */
export type HeaderLines = Record<string, HeaderValue>

/** Copies `opts.headers` from any form that undici accepts; `undefined` for a form that undici refuses. */
export function headerLines(headers: unknown): HeaderLines | undefined {
  if (headers === null || headers === undefined) return {}
  if (typeof headers !== 'object') return undefined
  if (Array.isArray(headers)) return headers.length % 2 === 0 ? merged(pairsOf(headers)) : undefined
  if (Symbol.iterator in headers && typeof headers[Symbol.iterator] === 'function') {
    const pairs = [...(headers as Iterable<unknown>)]
    return pairs.every(isPair) ? merged(pairs) : undefined
  }
  return { ...(headers as HeaderLines) }
}

/** Tells whether a header will be sent. */
export function hasHeader(lines: HeaderLines, name: string): boolean {
  return Object.entries(lines).some(([key, value]) => value !== undefined && key.toLowerCase() === name)
}

/** Copies headers and replaces those in `set`, whose names are in lower case. */
export function withHeaders(lines: HeaderLines, set: Readonly<Record<string, string>>): HeaderLines {
  const others = Object.entries(lines).filter(([key]) => !Object.hasOwn(set, key.toLowerCase()))
  return Object.fromEntries([...others, ...Object.entries(set)])
}

function isPair(value: unknown): value is [unknown, HeaderValue] {
  return Array.isArray(value) && value.length === 2
}

function* pairsOf(flat: readonly unknown[]): Generator<[unknown, HeaderValue]> {
  for (let index = 0; index < flat.length; index += 2) yield [flat[index], flat[index + 1] as HeaderValue]
}

function merged(pairs: Iterable<[unknown, HeaderValue]>): HeaderLines {
  const lines = new Map<string, HeaderValue>()
  for (const [key, value] of pairs) {
    const name = text(key)
    const previous = lines.get(name)
    const added = Array.isArray(value) ? value.map(text) : value === undefined ? undefined : text(value)
    lines.set(
      name,
      previous === undefined || added === undefined ? (added ?? previous) : [previous, added].flat(),
    )
  }
  return Object.fromEntries(lines)
}

/** Converts a value like undici; raw headers are bytes. */
function text(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('latin1') : String(value)
}
