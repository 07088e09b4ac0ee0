import { BrokerError } from '../shared/errors.ts'

/** The names of the request headers that a check reads, in lower case. */
export interface CredentialHeaderNames {
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  readonly jwt: string
}

/** What a check reads from a request; a header that stands on two lines is kept as such, to be refused if it counts. */
export interface CredentialHeaders {
  readonly clientId: HeaderValue
  readonly clientSecret: HeaderValue
  readonly scope: HeaderValue
  readonly jwt: HeaderValue
}

const repeated: unique symbol = Symbol('a header on more than one line')
export type HeaderValue = string | undefined | typeof repeated

/**
 * Reads header lines as `rawHeaders` of Node gives them: name, value, name, value. Node's `headers` would hide a
 * repeated line: it keeps the first `authorization` and joins the others.
 */
export function readCredentialHeaders(
  lines: readonly string[],
  names: CredentialHeaderNames,
): CredentialHeaders {
  const found: { -readonly [Name in keyof CredentialHeaders]: CredentialHeaders[Name] } = {
    clientId: undefined,
    clientSecret: undefined,
    scope: undefined,
    jwt: undefined,
  }
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const line = lines[index] as string
    const value = lines[index + 1] as string
    // No `else`: two of the names may be the same header.
    if (isNamed(line, names.clientId)) found.clientId = valueWith(found.clientId, value)
    if (isNamed(line, names.clientSecret)) found.clientSecret = valueWith(found.clientSecret, value)
    if (isNamed(line, names.scope)) found.scope = valueWith(found.scope, value)
    if (isNamed(line, names.jwt)) found.jwt = valueWith(found.jwt, value)
  }
  return found
}

/** Lengths first: most lines of a request are none of ours, and proxies write names in lower case anyway. */
function isNamed(line: string, name: string): boolean {
  return line.length === name.length && (line === name || line.toLowerCase() === name)
}

function valueWith(before: HeaderValue, value: string): HeaderValue {
  return before === undefined ? value : repeated
}

/** The one value of a header, empty when it is absent. */
export function singleValue(value: HeaderValue, name: string): string {
  if (value === repeated) throw new BrokerError('invalid_request', `${name} appears more than once`)
  return value ?? ''
}
