// The whole module: a missing name in an old Node would fail before `assertNodeVersion` runs.
import * as crypto from 'node:crypto'
import type { ClientAuthMethod } from '../options/broker-options.ts'
import type { Subject } from '../shared/subject.ts'
import type { OrderedCredentials } from './client-credentials.ts'
import type { TokenExchange } from './token-exchange.ts'

/** Limit of scopes whose normal form is remembered; real services use few. */
const maxKnownScopes = 256

/**
 * Derives the keys under which tokens are cached, shared and rejected. They cover every field that is sent, so that different
 * requests never share a key. A configured secret is the exception: its place in the configuration takes its part, so that a
 * token outlives the rotation of its client's secret, and no caller's own secret leads to the token.
 *
 * Each field is preceded by its length, because a delimiter could be part of a field. The hash is salted per process, so
 * that a key does not confirm a guessed secret.
 */
export class CacheKeys {
  readonly #tokenPrefix: string
  readonly #clientPrefix: string
  readonly #exchangePrefix: string
  readonly #subjectPrefix: string
  readonly #knownScopes = new Map<string, string>()

  constructor(tokenEndpoint: string, authMethod: ClientAuthMethod, salt: Buffer) {
    const common = `${salt.toString('base64url')}${field(tokenEndpoint)}${field(authMethod)}`
    this.#tokenPrefix = common + field('token')
    this.#clientPrefix = common + field('client')
    this.#exchangePrefix = common + field('exchange')
    this.#subjectPrefix = common + field('subject')
  }

  /** The key of a token. The order of scopes and repeated scopes do not matter (RFC 6749 section 3.3). */
  ofToken(credentials: OrderedCredentials): string {
    const { exchange } = credentials
    const own = this.#tokenPrefix + clientFields(credentials) + field(this.#normalScope(credentials.scope))
    return keyOf(exchange === undefined ? own : own + exchangeFields(exchange))
  }

  /** The key of a client and its secret, whatever the scope. The exchanges at each connector count as another client. */
  ofClient(credentials: OrderedCredentials): string {
    const { exchange } = credentials
    const own = this.#clientPrefix + clientFields(credentials)
    return keyOf(exchange === undefined ? own : own + field(exchange.connectorId))
  }

  /** The key of what the exchanges of all users have in common: client, connector, scope. */
  ofExchange(credentials: OrderedCredentials): string {
    const { scope, exchange } = credentials
    const own = this.#exchangePrefix + clientFields(credentials) + field(this.#normalScope(scope))
    return keyOf(own + field(exchange?.connectorId ?? ''))
  }

  /** The key of the user that a subject token is about. */
  ofSubject({ issuer, subject }: Subject): string {
    return keyOf(this.#subjectPrefix + field(issuer) + field(subject))
  }

  #normalScope(scope: string): string {
    if (!scope.includes(' ')) return scope
    const known = this.#knownScopes.get(scope)
    if (known !== undefined) return known
    const normal = [...new Set(scope.split(' '))].filter(Boolean).sort().join(' ')
    // All at once, because real services have fewer; not lru-cache, which publishes keys on its diagnostics channels.
    if (this.#knownScopes.size >= maxKnownScopes) this.#knownScopes.clear()
    this.#knownScopes.set(scope, normal)
    return normal
  }
}

function clientFields(credentials: OrderedCredentials): string {
  return field(credentials.clientId) + secretField(credentials)
}

/** The subject token as its hash: it can have 16 KiB. */
function exchangeFields({ subject, subjectTokenType, connectorId }: TokenExchange): string {
  return field(connectorId) + field(subjectTokenType) + field(keyOf(subject.token))
}

/**
 * A field starts with a digit, so that no caller's secret is taken for a configured one. A caller that brings the client id of
 * another configured client must not get that client's token by the secret of this one.
 */
function secretField({ clientSecret, configured }: OrderedCredentials): string {
  if (typeof clientSecret === 'string') return field(clientSecret)
  return configured ? 'configured client' : 'configured secret'
}

function field(text: string): string {
  return `${text.length}:${text}`
}

function keyOf(fields: string): string {
  return crypto.hash('sha256', fields, 'base64url')
}
