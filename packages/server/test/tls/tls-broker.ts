import { request as httpsRequest } from 'node:https'
import { type ConnectionOptions, connect } from 'node:tls'
import type { DevDex } from '@broker/dev-dex'
import {
  ask,
  type CertificateAuthority,
  createCertificateAuthority,
  MountedVolume,
  type TlsIdentity,
} from '@broker/testing'
import { credentials } from '@grpc/grpc-js'
import { pino } from 'pino'
import { BrokerServer } from '../../src/broker-server.ts'
import { YamlConfigReader } from '../../src/config/file/yaml-config-reader.ts'
import { ConfigReload } from '../../src/reload/config-reload.ts'
import { ConfigSource } from '../../src/reload/config-source.ts'
import { EnvoyClient } from '../grpc/support/envoy-client.ts'
import { type LogLine, orders, startDex } from '../support/start-broker.ts'

export const protocols = ['http', 'grpc'] as const
type Protocol = (typeof protocols)[number]

/** What a caller of the broker shows, and whom it trusts. */
export interface Caller {
  readonly ca: string
  readonly identity?: TlsIdentity
}

/** Files of a mounted secret. */
export interface TlsFiles {
  readonly 'tls.crt': string
  readonly 'tls.key': string
  readonly 'ca.crt': string
}

/** A broker with TLS on both listeners in this process, with a look-alike of Dex behind it; its files change by `swap`. */
export interface TlsBroker extends AsyncDisposable {
  readonly dex: DevDex
  readonly authority: CertificateAuthority
  readonly server: BrokerServer
  readonly volume: MountedVolume
  readonly log: readonly LogLine[]
  port(protocol: Protocol): number
  /** A check on a new connection: its status, or `closed` where it has none. */
  check(protocol: Protocol, caller: Caller): Promise<number | 'closed'>
  /** Replaces the files, and looks at them twice, as much as a change needs. */
  swap(files: Partial<TlsFiles>): Promise<void>
  /** The value of a metric; `undefined` when it is not there. */
  metric(series: string): Promise<number | undefined>
  lines(msg: string): readonly LogLine[]
}

export interface TlsBrokerOptions {
  readonly authority?: CertificateAuthority
  readonly files?: Partial<TlsFiles>
  readonly mutual?: boolean
  readonly environment?: Readonly<Record<string, string>>
}

export async function startTlsBroker(options: TlsBrokerOptions = {}): Promise<TlsBroker> {
  const { authority = createCertificateAuthority(), mutual = false, environment = {} } = options
  const { cert, key } = authority.issue('127.0.0.1', 'localhost')
  let files: TlsFiles = { 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.cert, ...options.files }
  const volume = new MountedVolume({ ...files })
  const dex = await startDex()
  const source = new ConfigSource(
    {
      LISTEN_ADDR: '127.0.0.1:0',
      GRPC_LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: '127.0.0.1:0',
      DEX_TOKEN_URL: dex.tokenEndpoint,
      SHUTDOWN_TIMEOUT: '2s',
      TLS_CERT_FILE: volume.file('tls.crt'),
      TLS_KEY_FILE: volume.file('tls.key'),
      ...(mutual && { TLS_CLIENT_CA_FILE: volume.file('ca.crt') }),
      ...environment,
    },
    new YamlConfigReader(),
  )
  const log: LogLine[] = []
  const logger = pino({ base: null }, { write: (line: string) => void log.push(JSON.parse(line)) })
  const server = await BrokerServer.start(source.load(), logger)
  const reload = new ConfigReload({ source, server, metrics: server.metrics, logger })
  const port = (protocol: Protocol) =>
    (protocol === 'http' ? server.checkAddress.port : server.grpcAddress?.port) ?? 0
  return {
    dex,
    authority,
    server,
    volume,
    log,
    port,
    check: (protocol, caller) =>
      protocol === 'http' ? httpCheck(port('http'), caller) : grpcCheck(port('grpc'), caller),
    async swap(changed) {
      files = { ...files, ...changed }
      volume.swap({ ...files })
      await reload.lookNow()
      await reload.lookNow()
    },
    async metric(series) {
      const { body } = await ask(server.adminAddress?.port ?? 0, { target: '/metrics' })
      const line = body.split('\n').find(each => each.startsWith(`dex_token_broker_${series} `))
      return line === undefined ? undefined : Number(line.split(' ').at(-1))
    },
    lines: msg => log.filter(line => line.msg === msg),
    async [Symbol.asyncDispose]() {
      reload.close()
      await server.close()
      await dex.close()
      volume[Symbol.dispose]()
    },
  }
}

function httpCheck(port: number, { ca, identity }: Caller): Promise<number | 'closed'> {
  return new Promise(resolve => {
    const options = { host: '127.0.0.1', port, path: '/check', headers: orders, agent: false } as const
    httpsRequest({ ...options, ca, ...identity }, answer => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0))
    })
      .once('error', () => resolve('closed'))
      .end()
  })
}

async function grpcCheck(port: number, { ca, identity }: Caller): Promise<number | 'closed'> {
  const channel = credentials.createSsl(
    Buffer.from(ca),
    identity ? Buffer.from(identity.key) : null,
    identity ? Buffer.from(identity.cert) : null,
  )
  await using client = new EnvoyClient(port, channel)
  try {
    const answer = await client.check({ headers: orders })
    return answer.http_response === 'ok_response' ? 200 : 403
  } catch {
    return 'closed'
  }
}

/** What became of a handshake: the version, or the code of the error; `closed` when the server ended it without one. */
export function handshake(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port, ...options })
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol() ?? '')
      socket.destroy()
    })
    socket.once('error', error => resolve((error as NodeJS.ErrnoException).code ?? error.message))
    socket.once('close', () => resolve('closed'))
  })
}

/** The serial number of the certificate that a listener shows now. */
export function shownCertificate(port: number, alpn: 'h2' | 'http/1.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ALPNProtocols: [alpn], rejectUnauthorized: false })
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.toString() ?? '')
      socket.destroy()
    })
    socket.once('error', reject)
  })
}
