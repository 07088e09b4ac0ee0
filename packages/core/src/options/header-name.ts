const token = /^[!#$%&'*+\-.^_`|~\da-z]+$/

const reserved: ReadonlyMap<string, string> = new Map([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'].map(
    name => [name, 'is a hop-by-hop header'] as const,
  ),
  // The body of a request stays unchanged, so that these three would describe it wrongly.
  ...['content-length', 'content-type', 'content-encoding'].map(
    name => [name, 'describes the body of the message'] as const,
  ),
  ['expect', 'requests an interim response'],
  ['host', 'decides where the request goes'],
  ['cache-control', 'is set by the broker itself'],
  // As a key of an object it would set the prototype, and the header would be lost in silence.
  ['__proto__', 'cannot be a key of a JavaScript object'],
])

/** Reserved prefixes of header names in lower case, each with the reason in the form `is read by the proxy`. */
export type ReservedHeaderPrefixes = Readonly<Record<string, string>>

/** Tells why a name cannot be a header of the broker, in words that follow the name; `undefined` when it can. */
export function headerNameProblem(
  name: string,
  reservedPrefixes: ReservedHeaderPrefixes = {},
): string | undefined {
  if (name.startsWith(':')) return 'is a pseudo header of HTTP/2'
  const lowerCase = name.toLowerCase()
  if (!token.test(lowerCase)) return 'is not a header name'
  for (const [prefix, problem] of Object.entries(reservedPrefixes)) {
    if (lowerCase.startsWith(prefix)) return problem
  }
  return reserved.get(lowerCase)
}
