// The whole module: a missing name in an old Node would fail before `assertNodeVersion` runs.
import * as crypto from 'node:crypto'
import type { Subject } from '../shared/subject.ts'
import type { ClientAuthenticationMethod } from './client-authentication.ts'
import type { OrderedCredentials } from './client-credentials.ts'
import { hasScopeAlone, type Parameter, requestParameters } from './request-parameters.ts'

/** Limit of scopes whose fields are remembered; real services use few. */
const maxKnownScopes = 256

/**
 * Derives the keys under which tokens are cached, shared and rejected. They are made of {@link requestParameters}, as the form of a
 * request is, and of its client authentication, so that different requests never share a key. A configured secret or private key is
 * the exception: its place in the configuration stands for it, so that a token outlives its rotation, and no caller's own secret leads
 * to the token.
 *
 * Each field is preceded by its length, because a delimiter could be part of a field. The hash is salted per process, so
 * that a key does not confirm a guessed secret. A record in a shared store is named after the same fields, without the salt.
 */
export class CacheKeys {
  readonly #tokenPrefix: string
  readonly #recordPrefix: string
  readonly #clientPrefix: string
  readonly #exchangePrefix: string
  readonly #subjectPrefix: string
  /** The fields of requests that have nothing but a scope. */
  readonly #knownScopes = new Map<string, string>()

  constructor(tokenEndpoint: string, authMethod: ClientAuthenticationMethod, salt: Buffer) {
    const endpoint = field(tokenEndpoint) + field(authMethod)
    const common = salt.toString('base64url') + endpoint
    this.#tokenPrefix = common + field('token')
    this.#recordPrefix = endpoint + field('record')
    this.#clientPrefix = common + field('client')
    this.#exchangePrefix = common + field('exchange')
    this.#subjectPrefix = common + field('subject')
  }

  /** The key of a token. The order of scopes and repeated scopes do not matter (RFC 6749 section 3.3). */
  ofToken(credentials: OrderedCredentials): string {
    return keyOf(this.#tokenFields(this.#tokenPrefix, credentials))
  }

  /**
   * Identifies the record of a token in a shared store: the same in every process. It confirms a guessed secret, so it must be
   * hashed with a secret key before it leaves the process. `responseFields`: the fields of the token response that are kept.
   */
  ofRecord(credentials: OrderedCredentials, responseFields: readonly string[]): string {
    const wanted = [...new Set(responseFields)].sort().map(field).join('')
    return keyOf(this.#tokenFields(this.#recordPrefix, credentials) + field(wanted))
  }

  /** The key of a client and its secret, whatever the scope. The exchanges at each connector count as another client. */
  ofClient(credentials: OrderedCredentials): string {
    const { exchange } = credentials
    const own = this.#clientPrefix + clientFields(credentials)
    return keyOf(exchange === undefined ? own : own + field(exchange.connectorId))
  }

  /** The key of what the exchanges of all users have in common: everything but the subject token. */
  ofExchange(credentials: OrderedCredentials): string {
    const common = requestParameters(credentials).filter(([name]) => name !== 'subject_token')
    return keyOf(this.#exchangePrefix + clientFields(credentials) + parameterFields(common))
  }

  /** The key of the user that a subject token is about. */
  ofSubject({ issuer, subject }: Subject): string {
    return keyOf(this.#subjectPrefix + field(issuer) + field(subject))
  }

  /** Everything that a token depends on: the only place, so that keys and records cannot differ. */
  #tokenFields(prefix: string, credentials: OrderedCredentials): string {
    return prefix + clientFields(credentials) + this.#parametersOf(credentials)
  }

  #parametersOf(credentials: OrderedCredentials): string {
    if (!hasScopeAlone(credentials)) return parameterFields(requestParameters(credentials))
    const { scope } = credentials
    const known = this.#knownScopes.get(scope)
    if (known !== undefined) return known
    const fields = parameterFields(requestParameters({ scope }))
    // All at once, because real services have fewer; not lru-cache, which publishes keys on its diagnostics channels.
    if (this.#knownScopes.size >= maxKnownScopes) this.#knownScopes.clear()
    this.#knownScopes.set(scope, fields)
    return fields
  }
}

function parameterFields(parameters: readonly Parameter[]): string {
  return parameters
    .map(([name, value]) => field(name) + field(name === 'scope' ? normalScope(value) : value))
    .join('')
}

function normalScope(scope: string): string {
  return [...new Set(scope.split(' '))].filter(Boolean).sort().join(' ')
}

function clientFields(credentials: OrderedCredentials): string {
  return field(credentials.clientId) + secretField(credentials)
}

/**
 * A field starts with a digit, so that no caller's secret is taken for a configured one. A caller that brings the client id of
 * another configured client must not get that client's token by the secret of this one.
 */
function secretField({ clientSecret, configured }: OrderedCredentials): string {
  // Without a secret only a configured client can authenticate.
  if (typeof clientSecret === 'string') return clientSecret === '' ? 'configured client' : field(clientSecret)
  return configured ? 'configured client' : 'configured secret'
}

function field(text: string): string {
  return `${text.length}:${text}`
}

function keyOf(fields: string): string {
  return crypto.hash('sha256', fields, 'base64url')
}
