import { hash, randomBytes } from 'node:crypto'
import type { ClientAuthMethod, ClientCredentials } from './client-credentials.ts'

/**
 * Derives the keys under which tokens are cached, shared and rejected: one function over every field that reaches
 * the wire, so that no two different requests can ever meet.
 *
 * Each field is preceded by its length (a delimiter could stand inside a field), and the whole is hashed with a salt
 * of this process: a key tells nothing about the secret in it, not even to somebody who can guess secrets.
 */
export class CacheKeys {
  readonly #prefix: string

  constructor(tokenEndpoint: string, authMethod: ClientAuthMethod) {
    this.#prefix = joinFields([randomBytes(16).toString('base64url'), tokenEndpoint, authMethod])
  }

  /** The key of a token. The order of scopes and a repeated scope make no difference (RFC 6749 section 3.3). */
  ofToken({ clientId, clientSecret, scope }: ClientCredentials): string {
    return this.#hash('token', [clientId, clientSecret, scope.includes(' ') ? normalizedScope(scope) : scope])
  }

  /** The key of a client and its secret, whatever the scope. */
  ofClient({ clientId, clientSecret }: ClientCredentials): string {
    return this.#hash('client', [clientId, clientSecret])
  }

  #hash(purpose: string, fields: string[]): string {
    return hash('sha256', this.#prefix + joinFields([purpose, ...fields]), 'base64url')
  }
}

function joinFields(fields: readonly string[]): string {
  let joined = ''
  for (const field of fields) joined += `${field.length}:${field}`
  return joined
}

function normalizedScope(scope: string): string {
  return [...new Set(scope.split(' '))].filter(Boolean).sort().join(' ')
}
