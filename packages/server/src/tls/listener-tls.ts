import { constants } from 'node:crypto'
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { TLSSocket, TlsOptions, Server as TlsServer } from 'node:tls'
import type { TlsSettings } from '../config/tls-settings.ts'
import { certificateNames } from './certificate-names.ts'
import { certificateFailureOf, type HandshakeFailure, handshakeFailureOf } from './handshake-failure.ts'
import type { HandshakeLog, RefusedHandshake } from './handshake-log.ts'
import { Handshakes, handshakeTimeoutMs } from './handshakes.ts'

/** The application protocol of a listener, as in ALPN. */
export type ApplicationProtocol = 'http/1.1' | 'h2'

/** A resumed session repeats the verdict of its first handshake, and so outlives the certificate of its caller. */
const withoutTickets = constants.SSL_OP_NO_TICKET

/** Creates a server of HTTP, with or without TLS. */
export type CreateHttpServer = (options: ServerOptions, answer: RequestListener) => Server

/** Creates a server without TLS. */
export const createPlainServer: CreateHttpServer = createServer

/** TLS of one listener: its servers, one per address, and the certificate that they use now. */
export class ListenerTls {
  readonly #protocol: ApplicationProtocol
  readonly #log: Pick<HandshakeLog, 'add'>
  readonly #timeoutMs: number
  readonly #servers = new Map<TlsServer, Handshakes>()
  #settings: TlsSettings

  constructor(
    settings: TlsSettings,
    protocol: ApplicationProtocol,
    log: Pick<HandshakeLog, 'add'>,
    timeoutMs: number = handshakeTimeoutMs,
  ) {
    this.#settings = settings
    this.#protocol = protocol
    this.#log = log
    this.#timeoutMs = timeoutMs
  }

  get settings(): TlsSettings {
    return this.#settings
  }

  /** Options for a server, which has to be passed to {@link guard}. */
  get options(): TlsOptions {
    const { pair, clientCa } = this.#settings
    return {
      cert: pair.certificates,
      key: pair.key,
      ...(clientCa !== undefined && {
        ca: clientCa.certificates,
        requestCert: true,
        rejectUnauthorized: true,
      }),
      ALPNProtocols: [this.#protocol],
      minVersion: 'TLSv1.2',
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (clientCa === undefined ? 0 : withoutTickets),
    }
  }

  /** Creates a server of HTTP with TLS. An arrow function, so that it can be passed on. */
  readonly createHttpServer: CreateHttpServer = (options, answer) => {
    const server = createHttpsServer({ ...options, ...this.options }, answer)
    this.guard(server)
    return server as unknown as Server
  }

  /** Bounds the handshakes of a server, and lets only permitted callers get beyond them. */
  guard(server: TlsServer): void {
    const serve = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[]
    server.removeAllListeners('secureConnection')
    server.on('secureConnection', socket => {
      const refused = this.#refusalOf(socket)
      if (refused === undefined) {
        for (const listener of serve) listener.call(server, socket)
        return
      }
      this.#log.add({ ...refused, peer: socket.remoteAddress })
      socket.on('error', () => {})
      socket.destroy()
    })
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => this.#failed(error, socket))
    const refuse = (reason: HandshakeFailure, peer: string | undefined) => this.#log.add({ reason, peer })
    const handshakes = new Handshakes(server, refuse, this.#timeoutMs)
    this.#servers.set(server, handshakes)
    server.once('close', () => this.#servers.delete(server))
  }

  /**
   * Uses other settings for new connections; sessions of before are not resumed. Existing connections continue. Whether client
   * certificates are asked for stays as it is.
   */
  renew(settings: TlsSettings): void {
    this.#settings = settings
    // Every option again: `setSecureContext` forgets those that it is not given.
    for (const server of this.#servers.keys()) server.setSecureContext(this.options)
  }

  /** Cuts off handshakes that are under way, for a stop. An arrow function, so that it can be passed on. */
  readonly endHandshakes = (): void => {
    for (const handshakes of this.#servers.values()) handshakes.destroyAll()
  }

  #refusalOf(socket: TLSSocket): RefusedHandshake | undefined {
    // Node serves HTTP/1.1 to whoever offers no protocol.
    if (this.#protocol === 'h2' && socket.alpnProtocol !== 'h2') return { reason: 'protocol' }
    const { clientNames } = this.#settings
    if (clientNames === undefined) return undefined
    const names = certificateNames(socket.getPeerX509Certificate()?.subjectAltName)
    if (names.some(name => clientNames.includes(name))) return undefined
    return { reason: 'client_name_not_allowed', names }
  }

  #failed(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const peer = socket.remoteAddress
    // Node ends the connection without a separate error when it does not accept the certificate.
    const { authorizationError } = socket as { authorizationError?: unknown }
    if (authorizationError) {
      const cause = String(authorizationError)
      this.#log.add({ reason: certificateFailureOf(cause), cause, peer })
      return
    }
    const cause = error.code ?? 'unknown'
    const reason = handshakeFailureOf(cause)
    if (reason !== undefined) this.#log.add({ reason, cause, peer })
  }
}
