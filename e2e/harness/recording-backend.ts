import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { listening } from '@broker/testing'
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import type { Dex } from './dex.ts'

/** A request that has reached the backend. */
export interface RecordedRequest {
  readonly method: string
  /** The raw request target. */
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly bodyLength: number
  /** In hexadecimal. */
  readonly bodySha256: string
  /** The audience of the bearer token, when it is a valid one from this Dex. */
  readonly tokenAudience: string | undefined
  /** The claims of that token. */
  readonly tokenClaims: JWTPayload | undefined
  /** Every value of a header, in the order of the lines. */
  header(name: string): readonly string[]
}

/** A service behind Envoy that lets everybody in and writes down what came. */
export interface RecordingBackend extends AsyncDisposable {
  readonly port: number
  readonly requests: readonly RecordedRequest[]
  /** Forgets what came before. */
  clear(): void
}

/** It answers 200 with the method and target it saw, and echoes whatever follows an upgrade. */
export async function startBackend({
  issuer,
  jwksUri,
}: Pick<Dex, 'issuer' | 'jwksUri'>): Promise<RecordingBackend> {
  const keys = createRemoteJWKSet(new URL(jwksUri))
  const requests: RecordedRequest[] = []

  async function claimsOf(authorization: string | undefined): Promise<JWTPayload | undefined> {
    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1]
    if (token === undefined) return undefined
    const verified = await jwtVerify(token, keys, { issuer }).catch(() => undefined)
    return verified?.payload
  }

  async function record(incoming: IncomingMessage, readsBody: boolean): Promise<RecordedRequest> {
    const { method = '', url = '', rawHeaders } = incoming
    const hash = createHash('sha256')
    let bodyLength = 0
    if (readsBody) {
      for await (const chunk of incoming as AsyncIterable<Buffer>) {
        hash.update(chunk)
        bodyLength += chunk.length
      }
    }
    const header = (name: string) =>
      rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)
    // Two lines of authorization are never a good token: which of them counts would be a matter of taste.
    const lines = header('authorization')
    const tokenClaims = lines.length === 1 ? await claimsOf(lines[0]) : undefined
    const tokenAudience = tokenClaims && [tokenClaims.aud ?? []].flat().join(' ')
    const bodySha256 = hash.digest('hex')
    const recorded = {
      ...{ method, url, rawHeaders, bodyLength, bodySha256 },
      ...{ tokenAudience, tokenClaims, header },
    }
    requests.push(recorded)
    return recorded
  }

  const server = createServer(
    { maxHeaderSize: 128 * 1024, requireHostHeader: false },
    (incoming, outgoing) => {
      record(incoming, true).then(
        ({ method, url }) => {
          outgoing.writeHead(200, { 'content-type': 'application/json', 'x-backend': 'yes' })
          outgoing.end(JSON.stringify({ method, url }))
        },
        () => outgoing.destroy(),
      )
    },
  )
  // Envoy keeps idle connections for an hour.
  server.keepAliveTimeout = 0
  const upgraded = new Set<Socket>()
  server.on('upgrade', (incoming, socket: Socket) => {
    upgraded.add(socket)
    socket.once('close', () => upgraded.delete(socket)).on('error', () => socket.destroy())
    void record(incoming, false).then(() => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
      socket.pipe(socket)
    })
  })
  const { port, [Symbol.asyncDispose]: stopListening } = await listening(server)

  return {
    port,
    requests,
    clear: () => requests.splice(0),
    async [Symbol.asyncDispose]() {
      // The server waits for these as well, and knows them no longer.
      for (const socket of upgraded) socket.destroy()
      await stopListening()
    },
  }
}
