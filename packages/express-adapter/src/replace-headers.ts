import type { IncomingMessage } from 'node:http'

/**
 * Takes headers from a request and puts others on it, wherever a proxy may look: in `headers`, `rawHeaders` and
 * `headersDistinct`. Names are in lower case.
 *
 * A name with underscores goes with its twin with hyphens: behind CGI and what followed it, both are the same.
 */
export function replaceHeaders(
  request: IncomingMessage,
  removed: ReadonlySet<string>,
  set: Readonly<Record<string, string>>,
): void {
  const goes = (name: string) => {
    const lowerCase = name.toLowerCase()
    return removed.has(lowerCase) || removed.has(lowerCase.replaceAll('_', '-'))
  }
  // Node makes `headers` from `rawHeaders` at the first look: now, before those change.
  const { headers, rawHeaders } = request
  for (const name of Object.keys(headers)) if (goes(name)) delete headers[name]
  Object.assign(headers, set)
  const lines: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (!goes(name)) lines.push(name, rawHeaders[index + 1] as string)
  }
  rawHeaders.splice(0, rawHeaders.length, ...lines, ...Object.entries(set).flat())
  // Made anew at the next look.
  Object.assign(request, { headersDistinct: undefined })
}
