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
  const { client, clientId, clientSecret, scope, audiences } = value as TokenRequest
  const parts = { clientId, clientSecret, scope, audiences: audiences && [...audiences] }
  // A client without a name is refused when the request is used.
  return 'client' in value ? { client: client as string, ...parts } : parts
}
