import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type CertificateAuthority, createCertificateAuthority } from '../certificate-authority.ts'
import type { ApiServer, TokenOrder } from './api-server.ts'
import { type RecordedAnswer, readRecording } from './recorded-answers.ts'

export interface ApiServerStandInOptions {
  readonly port?: number
  /** The clock of the tokens, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
}

/** A stand-in for a kube-apiserver, with its recorded answers and a new key. */
export interface ApiServerStandIn extends ApiServer {
  /** Paths of the requests, the oldest first; the ones that were refused too. */
  readonly requests: readonly string[]
  /** The values of `authorization` in these requests. */
  readonly authorizations: readonly (string | undefined)[]
  /** TCP connections that are open now. */
  openConnections(): Promise<number>
  /** Is awaited before each answer. */
  onRequest: () => Promise<void> | void
  /** Refuses the token from now on, as if its pod were deleted. */
  revoke(token: string): void
  /** Signs a service account's token; these claims replace others. */
  sign(order: TokenOrder, claims?: Readonly<Record<string, unknown>>): string
  /** Serves a certificate of a new CA from now on; `caCert` follows. */
  rotateCa(): void
}

interface AccountToken {
  readonly aud: readonly string[]
  readonly exp: number
}

/**
 * Starts a stand-in. As the real one it wants a token for its own audience, serves the key set as `application/jwk-set+json`, and
 * refuses a request that accepts plain JSON only.
 */
export async function startApiServerStandIn(
  options: ApiServerStandInOptions = {},
): Promise<ApiServerStandIn> {
  const now = options.now ?? Date.now
  const recording = readRecording()
  const discovery = JSON.parse(recording.discovery.body) as { issuer: string }
  const { issuer } = discovery
  const template = recordedClaims(recording.tokenRequest.body)
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kid = keyId(publicKey)
  const recorded = (JSON.parse(recording.keys.body) as { keys: object[] }).keys
  const key = { ...recorded[0], ...publicKey.export({ format: 'jwk' }), kid }
  // The recorded key stays in the set, for the recorded token.
  const keys = { ...recording.keys, body: JSON.stringify({ keys: [key, ...recorded] }) }

  const requests: string[] = []
  const authorizations: (string | undefined)[] = []
  const revoked = new Set<string>()
  const issued = new Map<string, AccountToken>()

  let ca: CertificateAuthority = createCertificateAuthority('Kubernetes test CA')
  const server = createServer(ca.issue('127.0.0.1'), async (message, response) => {
    requests.push(message.url ?? '')
    authorizations.push(message.headers.authorization)
    await standIn.onRequest()
    write(response, answerTo(message))
  })
  await listen(server, options.port ?? 0)
  const { port } = server.address() as AddressInfo
  const url = `https://127.0.0.1:${port}`

  function answerTo({ url: path, headers }: IncomingMessage): RecordedAnswer {
    const { authorization, accept = '*/*' } = headers
    if (authorization === undefined) return recording.anonymous
    const token = issued.get(authorization.replace(/^Bearer /, ''))
    const isValid = token?.aud.includes(issuer) && token.exp > now() / 1000
    if (!isValid || revoked.has(authorization.replace(/^Bearer /, ''))) return recording.wrongToken
    if (path === '/.well-known/openid-configuration') return recording.discovery
    if (path !== '/openid/v1/jwks') return { status: 404, headers: {}, body: '404 page not found\n' }
    return /\*\/\*|application\/(\*|jwk-set\+json)/.test(accept) ? keys : recording.keysAsJson
  }

  function signToken({ namespace, name, audiences = [issuer] }: TokenOrder, claims = {}): string {
    const seconds = Math.floor(now() / 1000)
    const payload = {
      ...template,
      aud: audiences,
      exp: seconds + 3600,
      iat: seconds,
      jti: randomUUID(),
      'kubernetes.io': { namespace, serviceaccount: { name, uid: randomUUID() } },
      nbf: seconds,
      sub: `system:serviceaccount:${namespace}:${name}`,
      ...claims,
    }
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const input = `${encode({ alg: 'RS256', kid })}.${encode(payload)}`
    const jwt = `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
    issued.set(jwt, payload)
    return jwt
  }

  const standIn: ApiServerStandIn = {
    url,
    port,
    issuer,
    requests,
    onRequest: () => {},
    openConnections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    authorizations,
    get caCert() {
      return ca.cert
    },
    requestToken: async order => signToken(order),
    sign: signToken,
    revoke: token => void revoked.add(token),
    rotateCa() {
      ca = createCertificateAuthority('Kubernetes test CA')
      server.setSecureContext(ca.issue('127.0.0.1'))
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  return standIn
}

function recordedClaims(tokenRequest: string): Record<string, unknown> {
  const { status } = JSON.parse(tokenRequest) as { status: { token: string } }
  const [, payload = ''] = status.token.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
}

/** The key id as Kubernetes makes it: the SHA-256 of the public key. */
function keyId(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('base64url')
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

function write(response: ServerResponse, { status, headers, body }: RecordedAnswer): void {
  response.writeHead(status, headers).end(body)
}
