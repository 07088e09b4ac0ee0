const token = /^[!#$%&'*+\-.^_`|~\da-z]+$/

const reserved: ReadonlyMap<string, string> = new Map([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'].map(
    name => [name, 'is a hop-by-hop header'] as const,
  ),
  // Headers are put onto a request whose body stays as it is: these three would misdescribe that body.
  ...['content-length', 'content-type', 'content-encoding'].map(
    name => [name, 'describes the body of the message'] as const,
  ),
  ['expect', 'asks for an interim answer'],
  ['host', 'decides where the request goes'],
  ['cache-control', 'is set by the broker itself'],
  // As a key of an object it would set the prototype, and the header would be lost in silence.
  ['__proto__', 'cannot be a key of a JavaScript object'],
])

/** Beginnings of header names that belong to whatever carries the headers, each with why, as `is ...`; in lower case. */
export type ReservedHeaderPrefixes = Readonly<Record<string, string>>

/** Why a name cannot be one of the broker's headers, in words that follow the name; `undefined` when it can. */
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
