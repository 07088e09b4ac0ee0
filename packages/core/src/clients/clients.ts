import { CacheKeys } from './cache-key.ts'
import { Client, type ConfiguredClient } from './client.ts'
import type { ClientAuthenticationMethod } from './client-authentication.ts'
import type { ClientsMemory, SecretHolder } from './clients-memory.ts'
import type { OrderIssuer, TokenOrder } from './token-order.ts'
import type { TokenRequest } from './token-request.ts'

/** The names that no client in the option `clients` may have. */
export const reservedClientNames: readonly string[] = ['default', 'caller']

/** A token endpoint at which clients get their tokens. */
export interface ClientsIssuer extends OrderIssuer {
  /** Identifies the token endpoint in cache keys. */
  readonly endpoint: string
  readonly authMethod: ClientAuthenticationMethod
}

/** A client in the option `clients`. */
export interface NamedClientSettings {
  readonly name: string
  readonly configured: ConfiguredClient
  readonly issuer: ClientsIssuer
}

export interface ClientsOptions {
  /** The issuer of callers' own clients. */
  readonly issuer: ClientsIssuer
  /** The option `client`. */
  readonly client: { readonly configured: ConfiguredClient; readonly issuer: ClientsIssuer }
  readonly named: readonly NamedClientSettings[]
  /** Made once per broker. */
  readonly memory: ClientsMemory
}

const nothingConfigured: ConfiguredClient = Object.freeze({
  clientId: undefined,
  clientSecret: undefined,
  scope: undefined,
  audiences: Object.freeze([]),
  resource: Object.freeze([]),
  extraParams: Object.freeze([]),
})

/** The clients of a broker, by name. */
export class Clients {
  /** The client of the option `client`. */
  readonly default: Client
  /** A client of which nothing is configured. */
  readonly caller: Client
  readonly #named: ReadonlyMap<string, Client>

  constructor({ issuer, client, named, memory }: ClientsOptions) {
    const keysOf = sharedKeys(memory.salt)
    const secrets = memory.secretsOf([
      ...secretHolder('default', false, client.configured, client.issuer),
      ...named.flatMap(({ name, configured, issuer: ofIssuer }) =>
        secretHolder(name, true, configured, ofIssuer),
      ),
    ])
    this.caller = new Client({
      name: 'caller',
      configured: nothingConfigured,
      secret: undefined,
      issuer,
      keys: keysOf(issuer),
    })
    const { method } = client.configured
    this.default = new Client({
      name: 'default',
      configured: client.configured,
      secret: secrets.get('default'),
      issuer: client.issuer,
      keys: keysOf(client.issuer),
      authMethod: method,
      assertions: memory.assertionsOf(client.configured, 'client'),
      // The method is the configured client's alone.
      ...(method !== undefined && { forOwnCredentials: this.caller }),
    })
    this.#named = new Map([
      ['default', this.default],
      ...named.map(({ name, configured, issuer: ofNamed }): [string, Client] => [
        name,
        new Client({
          name,
          isNamed: true,
          issuer: ofNamed,
          configured,
          secret: secrets.get(name),
          authMethod: ofNamed.authMethod,
          assertions: memory.assertionsOf(configured, `clients.${name}`),
          keys: keysOf(ofNamed),
        }),
      ]),
    ])
  }

  /** The clients with a configured id: the default one first. */
  get configured(): readonly Client[] {
    return [...this.#named.values()].filter(({ configured }) => configured.clientId !== undefined)
  }

  /** Returns the client with a name in the option `clients`, or `default`; `undefined` for any other name. */
  named(name: string): Client | undefined {
    return this.#named.get(name)
  }

  /** Returns the client with a name. Throws a `TypeError` for a name that no client has. */
  known(name: string): Client {
    const client = this.#named.get(name)
    if (client !== undefined) return client
    const known = [...this.#named.keys()].join(', ')
    throw new TypeError(`client: ${JSON.stringify(name)} is not a client; known clients: ${known}`)
  }

  /** Completes a token request to an order. Throws a `TypeError` for wrong use, else like `order` of a client. */
  order(request: TokenRequest): TokenOrder {
    if (request.client === undefined) return this.default.order(request)
    const client = this.known(request.client)
    if (typeof request.clientId === 'string' || typeof request.clientSecret === 'string') {
      throw new TypeError('client must come without clientId and clientSecret')
    }
    return client.order(request)
  }
}

function secretHolder(
  name: string,
  isNamed: boolean,
  { clientId, clientSecret, authentication }: ConfiguredClient,
  { endpoint, authMethod }: ClientsIssuer,
): SecretHolder[] {
  if (clientSecret === undefined) return []
  const assertions = authentication?.method === 'private_key_jwt' ? authentication : undefined
  return [{ name, isNamed, endpoint, authMethod, clientId, clientSecret, assertions }]
}

/** One object per token endpoint and method, because each remembers scopes. */
function sharedKeys(salt: Buffer): (issuer: ClientsIssuer) => CacheKeys {
  const known = new Map<string, CacheKeys>()
  return ({ endpoint, authMethod }) => {
    const name = `${authMethod} ${endpoint}`
    const keys = known.get(name) ?? new CacheKeys(endpoint, authMethod, salt)
    known.set(name, keys)
    return keys
  }
}
