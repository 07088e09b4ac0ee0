// As a whole: a name that an old Node lacks would fail before `assertNodeVersion` can say so.
import * as crypto from 'node:crypto'
import type { ClientAuthMethod } from '../options/broker-options.ts'
import type { ClientCredentials } from './client-credentials.ts'

/** Scopes that are remembered in their normal form: there are few, and the same ones are asked for again and again. */
const maxKnownScopes = 256

/**
 * Derives the keys under which tokens are cached, shared and rejected: one function over every field that reaches
 * the wire, so that no two different requests can ever meet.
 *
 * Each field is preceded by its length (a delimiter could stand inside a field), and the whole is hashed with a salt
 * of this process: a key tells nothing about the secret in it, not even to somebody who can guess secrets.
 */
export class CacheKeys {
  readonly #tokenPrefix: string
  readonly #clientPrefix: string
  readonly #knownScopes = new Map<string, string>()

  constructor(tokenEndpoint: string, authMethod: ClientAuthMethod, salt: Buffer = crypto.randomBytes(16)) {
    const common = `${salt.toString('base64url')}${field(tokenEndpoint)}${field(authMethod)}`
    this.#tokenPrefix = common + field('token')
    this.#clientPrefix = common + field('client')
  }

  /** The key of a token. The order of scopes and a repeated scope make no difference (RFC 6749 section 3.3). */
  ofToken({ clientId, clientSecret, scope }: ClientCredentials): string {
    return keyOf(this.#tokenPrefix + field(clientId) + field(clientSecret) + field(this.#normalScope(scope)))
  }

  /** The key of a client and its secret, whatever the scope. */
  ofClient({ clientId, clientSecret }: ClientCredentials): string {
    return keyOf(this.#clientPrefix + field(clientId) + field(clientSecret))
  }

  #normalScope(scope: string): string {
    if (!scope.includes(' ')) return scope
    const known = this.#knownScopes.get(scope)
    if (known !== undefined) return known
    const normal = [...new Set(scope.split(' '))].filter(Boolean).sort().join(' ')
    // All at once, because nobody has as many; no lru-cache, which would publish them to its diagnostics channels.
    if (this.#knownScopes.size >= maxKnownScopes) this.#knownScopes.clear()
    this.#knownScopes.set(scope, normal)
    return normal
  }
}

function field(text: string): string {
  return `${text.length}:${text}`
}

function keyOf(fields: string): string {
  return crypto.hash('sha256', fields, 'base64url')
}
