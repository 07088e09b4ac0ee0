import type { IncomingMessage } from 'node:http'

/**
 * Removes headers from a request and sets others, in `headers`, `rawHeaders` and `headersDistinct`. Names are in lower case.
 *
 * A name also removes its variants with underscores in place of hyphens, which CGI and its successors treat as equal.
 */
export function replaceHeaders(
  request: IncomingMessage,
  removed: ReadonlySet<string>,
  set: Readonly<Record<string, string>>,
): void {
  const removedTwins = new Set(Array.from(removed, withHyphens))
  const goes = (name: string) => removedTwins.has(withHyphens(name))
  // Node derives `headers` from `rawHeaders` at the first access: now, before those change.
  const { headers, rawHeaders } = request
  for (const name of Object.keys(headers)) if (goes(name)) delete headers[name]
  Object.assign(headers, set)
  const lines: string[] = []
  // Node would derive `headersDistinct` from the original number of lines.
  const distinct: Record<string, string[]> = Object.create(null)
  const add = (name: string, value: string) => {
    lines.push(name, value)
    const lowerCase = name.toLowerCase()
    distinct[lowerCase] = [...(distinct[lowerCase] ?? []), value]
  }
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (!goes(name)) add(name, rawHeaders[index + 1] as string)
  }
  for (const [name, value] of Object.entries(set)) add(name, value)
  rawHeaders.splice(0, rawHeaders.length, ...lines)
  request.headersDistinct = distinct
}

function withHyphens(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}
