import { isHeaderValue } from '../../shared/http/header-value.ts'

/** Envoy accepts no more headers in an answer, and proxies no more in a request; in bytes. */
const maxHeadersLength = 60 * 1024
const visibleAscii = /^[\x21-\x7e]+$/

/** Tells whether a value can be the access token of a bearer header. */
export function isAccessToken(value: unknown): value is string {
  return typeof value === 'string' && visibleAscii.test(value)
}

/** Tells whether an access token and the mapped fields fit into the headers that carry them: 60 KiB in all. */
export function fitsHeaders(accessToken: string, fieldValues: readonly (string | undefined)[]): boolean {
  const length = fieldValues.reduce((sum, value) => sum + (value?.length ?? 0), accessToken.length)
  return length <= maxHeadersLength
}

/** Shared by all tokens, to save memory. */
const noFields: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

/** Returns the named members that a header can carry, as text: strings and numbers; frozen. Leaves out the others. */
export function tokenFields(
  members: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, string>> {
  if (names.length === 0) return noFields
  // Without a prototype, because a field may have any name, `__proto__` and `constructor` included.
  const fields: Record<string, string> = Object.create(null)
  for (const name of names) {
    const value = Object.hasOwn(members, name) ? members[name] : undefined
    if (typeof value !== 'string' && typeof value !== 'number') continue
    const text = String(value)
    if (isHeaderValue(text)) fields[name] = text
  }
  return Object.freeze(fields)
}
