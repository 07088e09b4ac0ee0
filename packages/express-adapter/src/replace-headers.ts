import type { IncomingMessage } from 'node:http'

/**
 * Takes headers from a request and puts others on it, wherever a proxy may look: in `headers`, `rawHeaders` and
 * `headersDistinct`. Names are in lower case.
 *
 * A name goes with its twins, in which hyphens are underscores: behind CGI and what followed it, they are the same.
 */
export function replaceHeaders(
  request: IncomingMessage,
  removed: ReadonlySet<string>,
  set: Readonly<Record<string, string>>,
): void {
  const removedTwins = new Set(Array.from(removed, withHyphens))
  const goes = (name: string) => removedTwins.has(withHyphens(name))
  // Node makes `headers` from `rawHeaders` at the first look: now, before those change.
  const { headers, rawHeaders } = request
  for (const name of Object.keys(headers)) if (goes(name)) delete headers[name]
  Object.assign(headers, set)
  const lines: string[] = []
  // Node would make these from as many lines as came, however many there are now.
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
