import type { RequestListener } from 'node:http'
import { type DexClient, indexDexClients } from './dex-client.ts'
import { type DexConnector, defaultConnectors } from './dex-connector.ts'
import type { DexUser } from './dex-user.ts'
import { endpointRoutes, type FaultTarget } from './endpoint.ts'
import type { Fault } from './fault.ts'
import { FaultSwitches } from './fault-switches.ts'
import { clientCredentialsGrant, defaultGrantTypes, knownGrantTypes } from './grant-types.ts'
import { locateIssuer } from './issuer-location.ts'
import type { IssuerState } from './issuer-state.ts'
import { KeyRing } from './key-ring.ts'
import { listenOnLoopback, type TlsIdentity } from './loopback-server.ts'
import { openConnectors } from './open-connectors.ts'
import { createRequestHandler } from './request-handler.ts'
import { type RecordedTokenRequest, type RequestCounts, RequestJournal } from './request-journal.ts'
import { type SignJwtOptions, signCompact } from './sign-jwt.ts'
import type { SigningAlgorithm } from './signing-key.ts'
import { signUserToken, type UserTokenOptions } from './user-token.ts'

const dayMs = 24 * 60 * 60 * 1000

/** How a look-alike starts. */
export interface DevDexOptions {
  /** The OAuth clients; default none. */
  readonly clients?: readonly DexClient[]
  /** Users with a password; a list, even an empty one, adds the connector `local`. */
  readonly users?: readonly DexUser[]
  /** Connectors whose tokens can be exchanged; default one of type `mockCallback` with the id `mock`. */
  readonly connectors?: readonly DexConnector[]
  /** Id of the connector that checks passwords, usually `local`. Without it there is no password grant. */
  readonly passwordConnector?: string
  /** Port to listen on; 0, the default, takes a free one. */
  readonly port?: number
  /** Address to listen on and the host in every URL; default 127.0.0.1. */
  readonly hostname?: string
  /** Path of the issuer; default `/dex`. A trailing slash survives in the issuer, as in Dex. */
  readonly issuerPath?: string
  /** The whole issuer, for a Dex that is known by another URL than it is reached by; overrides `issuerPath`. */
  readonly issuer?: string
  /** Lifetime of access and ID tokens; default 24 hours. */
  readonly idTokensMs?: number
  /** Algorithm of the first key; default RS256. */
  readonly algorithm?: SigningAlgorithm
  /** The grant types that discovery lists. Those that need a browser, and refresh_token, are never served. */
  readonly grantTypes?: readonly string[]
  /** Serves HTTPS. */
  readonly tls?: TlsIdentity
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  readonly now?: () => number
}

/** A running look-alike of Dex on loopback. */
export interface DevDex extends AsyncDisposable {
  /** The `iss` of its tokens. */
  readonly issuer: string
  /** The port on which it listens. */
  readonly port: number
  /** URLs at which this server is reached, whatever issuer it claims to be. */
  readonly discoveryUri: string
  /** Issues tokens (RFC 6749 section 3.2). */
  readonly tokenEndpoint: string
  /** Serves the key set (RFC 7517 section 5). */
  readonly jwksUri: string
  /** Tells whether a token is active (RFC 7662). */
  readonly introspectionEndpoint: string
  /** Serves the claims of a user's token (OpenID Connect Core section 5.3). */
  readonly userinfoEndpoint: string

  /** A snapshot; requests that a fault spoils count too. */
  readonly counts: RequestCounts
  /** The last 1000 token requests, the oldest first. */
  readonly tokenRequests: readonly RecordedTokenRequest[]
  /** TCP connections that clients hold at the moment. */
  readonly openConnections: number
  /** Sets the counts to zero and forgets the recorded requests. */
  resetRecords(): void

  /** Makes an endpoint or a path misbehave; `undefined` ends it. A path overrides the endpoint there. */
  setFault(target: FaultTarget, fault: Fault | undefined): void
  /** Ends every fault; requests that hang already go on hanging. */
  clearFaults(): void

  /** Lifetime of tokens issued from now on. */
  idTokensMs: number
  /** Whether client_credentials is served and listed in discovery; a Dex release has it off. */
  clientCredentialsEnabled: boolean

  /** Gives a client another secret at once; the old one is refused from then on. Throws for an unknown client. */
  setClientSecret(clientId: string, secret: string): void

  /** The key that signs. */
  readonly currentKid: string
  /** Ids of all keys in `/keys`, the current one first. */
  readonly publishedKids: readonly string[]
  /** A new key signs at once and the old one stays published; discovery's algorithm stays as it was. */
  rotateKeys(algorithm?: SigningAlgorithm): Promise<void>
  /** Withdraws one old key from `/keys`, or all old ones. */
  retireKey(kid?: string): void
  /** Loses every key and starts over with a new one, as Dex on memory storage; the port stays. */
  restart(algorithm?: SigningAlgorithm): Promise<void>
  /** Signs any payload with the current key; see `SignJwtOptions` for headers that lie. */
  signJwt(payload: object | string, options?: SignJwtOptions): string
  /** Signs a user's access token without a request; the user may be of any connector, even an unknown one. */
  userToken(options: UserTokenOptions): string

  /** Destroys every connection, hanging ones too, and frees the port. */
  close(): Promise<void>
}

/**
 * Starts a look-alike; rejects for wrong clients, users or connectors, or with the system's error when the
 * port is taken.
 */
export async function startDevDex(options: DevDexOptions = {}): Promise<DevDex> {
  const { hostname = '127.0.0.1', port = 0, issuerPath = '/dex', tls, passwordConnector = '' } = options
  // Looked up at each call, so that fake timers of a test move it.
  const now = options.now ?? (() => Date.now())
  const clients = indexDexClients(options.clients ?? [])
  const keys = await KeyRing.create(options.algorithm ?? 'RS256')
  const journal = new RequestJournal()
  const faults = new FaultSwitches()
  const lifetime = new AbortController()
  const connectors = await openConnectors(options.connectors ?? defaultConnectors, options.users, {
    now,
    signal: lifetime.signal,
  })

  // The issuer has the port in it, so the handler can only be made once the server listens.
  let handle: RequestListener = (_, response) => response.destroy()
  const server = await listenOnLoopback({ hostname, port, tls }, (request, response) =>
    handle(request, response),
  )
  const location = locateIssuer(options.issuer ?? `${server.origin}${issuerPath}`)
  const state: IssuerState = {
    location,
    clients,
    connectors,
    passwordConnector,
    keys,
    now,
    grantTypes: knownGrantTypes(options.grantTypes ?? defaultGrantTypes, passwordConnector),
    idTokensMs: options.idTokensMs ?? dayMs,
  }
  handle = createRequestHandler({ state, journal, faults, signal: lifetime.signal })
  const reachedAt = (route: string) => `${server.origin}${location.path(route)}`

  async function close(): Promise<void> {
    lifetime.abort()
    await server.close()
  }

  function setClientSecret(clientId: string, secret: string): void {
    const client = clients.get(clientId)
    if (client === undefined) throw new TypeError(`there is no client "${clientId}"`)
    if (secret === '') throw new TypeError(`client "${clientId}" needs a secret`)
    clients.set(clientId, { ...client, secret })
  }

  return {
    issuer: location.issuer,
    port: server.port,
    discoveryUri: reachedAt(endpointRoutes.discovery),
    tokenEndpoint: reachedAt(endpointRoutes.token),
    jwksUri: reachedAt(endpointRoutes.keys),
    introspectionEndpoint: reachedAt('/token/introspect'),
    userinfoEndpoint: reachedAt('/userinfo'),
    get counts() {
      return journal.counts
    },
    get tokenRequests() {
      return journal.tokenRequests
    },
    get openConnections() {
      return server.openConnections
    },
    resetRecords: () => journal.reset(),
    setFault: (target, fault) => faults.set(target, fault),
    clearFaults: () => faults.clear(),
    get idTokensMs() {
      return state.idTokensMs
    },
    set idTokensMs(milliseconds) {
      state.idTokensMs = milliseconds
    },
    get clientCredentialsEnabled() {
      return state.grantTypes.includes(clientCredentialsGrant)
    },
    set clientCredentialsEnabled(enabled) {
      const others = state.grantTypes.filter(grant => grant !== clientCredentialsGrant)
      state.grantTypes = enabled ? [...others, clientCredentialsGrant] : others
    },
    setClientSecret,
    get currentKid() {
      return keys.current.kid
    },
    get publishedKids() {
      return keys.published.map(key => key.kid)
    },
    rotateKeys: algorithm => keys.rotate(algorithm),
    retireKey: kid => keys.retire(kid),
    restart: algorithm => keys.restart(algorithm),
    signJwt: (payload, signOptions) => signCompact(keys.current, payload, signOptions),
    userToken: userOptions => signUserToken(state, userOptions),
    close,
    [Symbol.asyncDispose]: close,
  }
}
