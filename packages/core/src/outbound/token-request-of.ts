import { type TokenRequest, tokenRequestNames } from '../clients/token-request.ts'
import { assertKnownNames } from '../options/option-values.ts'

/**
 * Copies the token request that an option `token` is, or returned. Throws a `TypeError` with `problem` for another value, and
 * one that starts with `token.` for an unknown name: both would yield the token of the configured client.
 */
export function tokenRequestOf(value: unknown, problem: string): TokenRequest {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(problem)
  assertKnownNames(value, Object.keys(tokenRequestNames), 'token.')
  // One by one, because a spread does not copy the getters of a class.
  const entries = Object.keys(tokenRequestNames)
    .filter(name => name in value)
    .map(name => [name, copyOf((value as Readonly<Record<string, unknown>>)[name])])
  // A client without a name is refused when the request is used.
  return Object.fromEntries(entries)
}

/** Lists and additional parameters can change later. */
function copyOf(part: unknown): unknown {
  if (Array.isArray(part)) return [...part]
  return Object.prototype.toString.call(part) === '[object Object]' ? { ...(part as object) } : part
}
