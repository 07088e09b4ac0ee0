import { quoteValue } from './quote-value.ts'
import { Refusal } from './refusal.ts'

const TOKEN = /^[!#$%&'*+\-.^_`|~\da-z]+$/i

const REFUSED: ReadonlyMap<string, string> = new Map([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'].map(
    name => [name, 'is a hop-by-hop header'] as const,
  ),
  // Envoy copies our headers onto a request whose body it does not touch: these three would misdescribe that body.
  ...['content-length', 'content-type', 'content-encoding'].map(
    name => [name, 'describes the body of the message'] as const,
  ),
  ['expect', 'asks for an interim answer'],
  ['host', 'decides where the request goes'],
  ['cache-control', 'is set by the broker itself'],
])

/** Says why a name cannot be used as one of the broker's headers, or undefined when it can. */
export function headerNameProblem(name: string): string | undefined {
  if (name.startsWith(':')) return 'is a pseudo header of HTTP/2'
  if (!TOKEN.test(name)) return 'is not a header name'
  const lower = name.toLowerCase()
  if (lower.startsWith('x-envoy-')) return 'is a control header of Envoy'
  return REFUSED.get(lower)
}

/** Reads a header name and returns it in lower case. */
export function parseHeaderName(text: string): string {
  const problem = headerNameProblem(text)
  if (problem !== undefined) throw new Refusal(`${quoteValue(text)} ${problem}`)
  return text.toLowerCase()
}
