/**
 * A static client of the issuer, as Dex's `staticClients` has it.
 *
 * A confidential client needs a secret; a public one may do without.
 */
export interface DexClient {
  /** The OAuth client id. */
  readonly id: string
  /** The client secret; none for a public client. */
  readonly secret?: string
  /** `name` and `preferred_username` in the `profile` scope; the id by default. */
  readonly name?: string
  /** A public client can authenticate, but is refused the client_credentials grant. */
  readonly public?: boolean
  /** Ids of the clients that may ask for a token with this client as an audience. */
  readonly trustedPeers?: readonly string[]
  /** Ids of the connectors whose users this client may get tokens for; all by default. */
  readonly allowedConnectors?: readonly string[]
  /** The groups in the `groups` scope; Dex calls them `clientCredentialsClaims.groups`. */
  readonly groups?: readonly string[]
}

/** Clients by id; throws for a client that Dex would refuse at its start. */
export function indexDexClients(clients: readonly DexClient[]): Map<string, DexClient> {
  const byId = new Map<string, DexClient>()
  for (const client of clients) {
    if (client.id === '') throw new TypeError('clients: a client needs an id')
    if (byId.has(client.id)) throw new TypeError(`clients: the id "${client.id}" appears twice`)
    if (!client.secret && !client.public) throw new TypeError(`clients: "${client.id}" needs a secret`)
    byId.set(client.id, client)
  }
  return byId
}
