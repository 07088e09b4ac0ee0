import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { listening } from '@broker/testing'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import { caller, type Dex, peer } from './dex.ts'
import { decodeDexSubject } from './dex-subject.ts'
import { credentialHeaders, idTokenHeader } from './header-names.ts'

/** What the backend saw of a request; its answer to whoever has a good token. */
export interface BackendReport {
  readonly method: string
  readonly path: string
  /** Whom the token was issued to, out of Dex's `sub`. */
  readonly subject: string
  readonly audience: readonly string[]
  /** The start of the token's hash: tells two tokens apart and gives none away. */
  readonly tokenHash: string
  /** Whose ID token arrived, or `none`. */
  readonly idTokenOf: string
  readonly headerNames: readonly string[]
  /** Names of the credential headers that arrived. */
  readonly credentialHeaders: readonly string[]
  readonly bodyBytes: number
}

/** A service that lets nobody in without a token of Dex. */
export interface Backend {
  readonly url: string
  /** How many requests have reached it. */
  readonly requests: number
  close(): Promise<void>
}

/** Starts the backend; it trusts the keys, the issuer and the audiences of this Dex, and nothing else. */
export async function startBackend(port: number, { issuer, jwksUri }: Dex): Promise<Backend> {
  const keys = createRemoteJWKSet(new URL(jwksUri))
  const verify = async (jwt: string): Promise<JWTPayload> =>
    (await jwtVerify(jwt, keys, { issuer, audience: [caller.id, peer.id] })).payload
  let requests = 0

  const server = createServer(async (incoming, outgoing) => {
    requests += 1
    const [status, answer] = await reportOn(incoming, verify).then(
      report => [200, report] as const,
      (error: Error) => [401, { error: 'unauthorized', reason: error.message }] as const,
    )
    outgoing.writeHead(status, { 'content-type': 'application/json' })
    outgoing.end(`${JSON.stringify(answer, undefined, 2)}\n`)
  })
  const { url, [Symbol.asyncDispose]: close } = await listening(server, port)
  return {
    url,
    get requests() {
      return requests
    },
    close: async () => close(),
  }
}

async function reportOn(
  incoming: IncomingMessage,
  verify: (jwt: string) => Promise<JWTPayload>,
): Promise<BackendReport> {
  const { headers, method = '', url = '' } = incoming
  const body = await buffer(incoming)
  const token = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1]
  if (token === undefined) throw new Error('no bearer token')
  const claims = await verify(token)
  const idToken = headers[idTokenHeader]
  return {
    method,
    path: url,
    subject: subjectOf(claims),
    audience: [claims.aud ?? []].flat(),
    tokenHash: createHash('sha256').update(token).digest('hex').slice(0, 12),
    idTokenOf: typeof idToken === 'string' ? subjectOf(await verify(idToken)) : 'none',
    headerNames: Object.keys(headers),
    credentialHeaders: credentialHeaders.filter(name => name in headers),
    bodyBytes: body.length,
  }
}

function subjectOf({ sub = '' }: JWTPayload): string {
  return decodeDexSubject(sub)?.userId || sub
}
