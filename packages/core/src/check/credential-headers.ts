import { BrokerError } from '../shared/errors.ts'

/** The names of the request headers that a check reads, in lower case. */
export interface CredentialHeaderNames {
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  readonly jwt: string
  /** The header with Basic credentials; `undefined` when these are not accepted. */
  readonly basic: 'authorization' | undefined
  /** Whether a comma is part of a value also where lines may be joined. */
  readonly allowJoined: boolean
}

/** All these names. */
export function namesOf({
  clientId,
  clientSecret,
  scope,
  jwt,
  basic,
}: CredentialHeaderNames): readonly string[] {
  const names = new Set([clientId, clientSecret, scope, jwt])
  return basic === undefined ? [...names] : [...names.add(basic)]
}

/** The headers that a check reads. A header that is or may be repeated is marked, and refused only if it is needed. */
export interface CredentialHeaders {
  readonly clientId: HeaderValue
  readonly clientSecret: HeaderValue
  readonly scope: HeaderValue
  readonly jwt: HeaderValue
  /** Absent where Basic credentials are not accepted. */
  readonly basic: HeaderValue
}

const repeated: unique symbol = Symbol('a header on more than one line')
const joined: unique symbol = Symbol('a header that may have been on more than one line')
export type HeaderValue = string | undefined | typeof repeated | typeof joined

type FoundHeaders = { -readonly [Name in keyof CredentialHeaders]: CredentialHeaders[Name] }

/**
 * Reads header lines in the form of Node's `rawHeaders`: name, value, name, value. Node's `headers` hides repeated headers: it
 * keeps the first `authorization` and joins others. `mayBeJoined`: whoever made these lines may have joined repeated ones.
 */
export function readCredentialHeaders(
  lines: readonly string[],
  names: CredentialHeaderNames,
  mayBeJoined = false,
): CredentialHeaders {
  const found: FoundHeaders = {
    clientId: undefined,
    clientSecret: undefined,
    scope: undefined,
    jwt: undefined,
    basic: undefined,
  }
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const line = lines[index] as string
    const value = lines[index + 1] as string
    // No `else`: two names can be the same header.
    if (isNamed(line, names.clientId)) found.clientId = valueWith(found.clientId, value)
    if (isNamed(line, names.clientSecret)) found.clientSecret = valueWith(found.clientSecret, value)
    if (isNamed(line, names.scope)) found.scope = valueWith(found.scope, value)
    if (isNamed(line, names.jwt)) found.jwt = valueWith(found.jwt, value)
    if (names.basic !== undefined && isNamed(line, names.basic)) found.basic = valueWith(found.basic, value)
  }
  if (mayBeJoined && !names.allowJoined) markJoined(found)
  return found
}

/** Nobody can tell a comma of the caller from one that joins two lines. */
function markJoined(found: FoundHeaders): void {
  for (const part of ['clientId', 'clientSecret', 'scope', 'jwt', 'basic'] as const) {
    const value = found[part]
    if (typeof value === 'string' && value.includes(',')) found[part] = joined
  }
}

/**
 * Returns the value of a header, empty when it is absent. Throws `invalid_request` when it appears more than once. `mayBeJoined` as
 * in {@link readCredentialHeaders}.
 */
export function singleHeader(lines: readonly string[], name: string, mayBeJoined = false): string {
  let found: HeaderValue
  for (let index = 0; index + 1 < lines.length; index += 2) {
    if (isNamed(lines[index] as string, name)) found = valueWith(found, lines[index + 1] as string)
  }
  if (mayBeJoined && typeof found === 'string' && found.includes(',')) found = joined
  return singleValue(found, name)
}

/** Compares lengths first, because most headers are others, and proxies send names in lower case. */
function isNamed(line: string, name: string): boolean {
  return line.length === name.length && (line === name || line.toLowerCase() === name)
}

function valueWith(before: HeaderValue, value: string): HeaderValue {
  return before === undefined ? value : repeated
}

/** Returns the value of a header, empty when it is absent. Throws `invalid_request` for one that is or may be repeated. */
export function singleValue(value: HeaderValue, name: string): string {
  if (value === repeated) throw new BrokerError('invalid_request', `${name} appears more than once`)
  if (value === joined) {
    throw new BrokerError(
      'invalid_request',
      `${name} has a comma, so that it may have appeared more than once`,
    )
  }
  return value ?? ''
}
