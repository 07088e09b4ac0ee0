import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type CertificateAuthority, createCertificateAuthority } from '@broker/testing'
import { Provider } from 'oidc-provider'

/** A client as oidc-provider registers it. */
export interface RegisteredClient {
  readonly client_id: string
  readonly token_endpoint_auth_method: string
  readonly [member: string]: unknown
}

export interface AuthorizationServer extends AsyncDisposable {
  readonly issuer: string
  /** Requests that reached the token endpoint, the alias for client certificates included. */
  tokenRequests(): number
  /** Requests that reached the alias. */
  aliasRequests(): number
  /** Replaces the registered clients. */
  register(...clients: readonly RegisteredClient[]): void
}

export interface MutualTlsServer extends AuthorizationServer {
  readonly ca: CertificateAuthority
}

/** A real oidc-provider over plain HTTP. */
export async function startAuthorizationServer(
  ...clients: readonly RegisteredClient[]
): Promise<AuthorizationServer> {
  const server = createServer()
  const issuer = `http://127.0.0.1:${await listening(server)}`
  return serve([server], issuer, clients)
}

/** A real oidc-provider over TLS, with an alias of its token endpoint that asks for client certificates. */
export async function startMutualTlsServer(
  ...clients: readonly RegisteredClient[]
): Promise<MutualTlsServer> {
  const ca = createCertificateAuthority()
  const { key, cert } = ca.issue('127.0.0.1')
  const server = createTlsServer({ key, cert })
  const alias = createTlsServer({ key, cert, ca: ca.cert, requestCert: true, rejectUnauthorized: false })
  const issuer = `https://127.0.0.1:${await listening(server)}`
  const aliases = { token_endpoint: `https://127.0.0.1:${await listening(alias)}/token` }
  return { ...serve([server, alias], issuer, clients, aliases), ca }
}

function serve(
  servers: readonly Server[],
  issuer: string,
  clients: readonly RegisteredClient[],
  aliases?: object,
): AuthorizationServer {
  let handler: RequestListener
  const register = (...registered: readonly RegisteredClient[]) => {
    handler = new Provider(issuer, configuration(registered, aliases)).callback()
  }
  register(...clients)
  const counts = servers.map(() => 0)
  for (const [index, server] of servers.entries()) {
    server.on('request', (request, response) => {
      if (request.url === '/token') counts[index] = (counts[index] ?? 0) + 1
      handler(request, response)
    })
  }
  return {
    issuer,
    tokenRequests: () => counts.reduce((sum, count) => sum + count, 0),
    aliasRequests: () => counts[1] ?? 0,
    register,
    async [Symbol.asyncDispose]() {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
        await once(server, 'close')
      }
    },
  }
}

function configuration(clients: readonly RegisteredClient[], aliases: object | undefined): object {
  const certificateOf = ({ req }: { req: IncomingMessage }) => {
    const { raw } = (req.socket as TLSSocket).getPeerCertificate()
    return raw && `-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----\n`
  }
  return {
    clients: clients.map(client => ({
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      ...client,
    })),
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
    ],
    enabledJWA: {
      clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
    },
    ...(aliases && { discovery: { mtls_endpoint_aliases: aliases } }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      mTLS: {
        enabled: true,
        tlsClientAuth: true,
        selfSignedTlsClientAuth: true,
        getCertificate: certificateOf,
        certificateAuthorized: ({ req }: { req: IncomingMessage }) => (req.socket as TLSSocket).authorized,
        certificateSubjectMatches: (ctx: { req: IncomingMessage }, _: string, expected: string) =>
          (ctx.req.socket as TLSSocket).getPeerCertificate().subject.CN === expected,
      },
    },
  }
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
