import type { Logger } from 'pino'
import type { TlsMetrics } from '../admin/tls-metrics.ts'
import type { Config } from '../config/config.ts'
import type { CertificateParts, TlsSettings } from '../config/tls-settings.ts'
import type { KeyPair } from '../config/values/key-pair.ts'
import { type CertificateInUse, certificateInUse } from './certificate-in-use.ts'
import { CertificateWatch } from './certificate-watch.ts'
import { HandshakeLog } from './handshake-log.ts'
import { type ApplicationProtocol, ListenerTls } from './listener-tls.ts'

/** TLS of all listeners. */
export class ServerTls {
  /** `undefined` without TLS, like the others, or when the listener is off. */
  readonly check: ListenerTls | undefined
  readonly grpc: ListenerTls | undefined
  readonly admin: ListenerTls | undefined
  readonly #watch: CertificateWatch
  #parts: CertificateParts

  constructor(parts: CertificateParts & Pick<Config, 'grpc' | 'admin'>, metrics: TlsMetrics, logger: Logger) {
    this.#parts = parts
    const tlsOf = (listener: string, settings: TlsSettings | undefined, protocol: ApplicationProtocol) =>
      settings && new ListenerTls(settings, protocol, new HandshakeLog(listener, metrics, logger))
    this.check = tlsOf('check', parts.tls, 'http/1.1')
    this.grpc = parts.grpc && tlsOf('grpc', parts.tls, 'h2')
    this.admin = parts.admin && tlsOf('admin', parts.adminTls, 'http/1.1')
    metrics.watch(() => this.certificates)
    this.#watch = new CertificateWatch({ read: () => this.#parts, logger })
  }

  /** Takes the certificates of another configuration. Other paths, and other rules for callers, wait for the next start. */
  renew({ tls, adminTls, dexClientPair, file }: CertificateParts): void {
    const { tls: running, adminTls: runningAdmin } = this.#parts
    const next = running && tls && renewed(running, tls)
    const nextAdmin = runningAdmin && adminTls && renewed(runningAdmin, adminTls)
    if (next) {
      this.check?.renew(next)
      this.grpc?.renew(next)
    }
    if (nextAdmin) this.admin?.renew(nextAdmin)
    this.#parts = {
      ...(running && { tls: next ?? running }),
      ...(runningAdmin && { adminTls: nextAdmin ?? runningAdmin }),
      ...(dexClientPair && { dexClientPair }),
      ...(file && { file }),
    }
  }

  /** The certificates in use now. */
  get certificates(): readonly CertificateInUse[] {
    const { dexClientPair, file } = this.#parts
    const { own = dexClientPair, ofIssuers = {} } = file?.clientIdentities ?? {}
    return [
      ...certificateInUse('check', this.check?.settings.pair),
      ...certificateInUse('grpc', this.grpc?.settings.pair),
      ...certificateInUse('admin', this.admin?.settings.pair),
      ...certificateInUse('dex_client', own),
      ...Object.entries(ofIssuers).flatMap(([name, pair]) => certificateInUse(`dex_client:${name}`, pair)),
    ]
  }

  close(): void {
    this.#watch.close()
  }
}

/** The settings that a running listener takes; `undefined` when the contents of its files are the same. */
function renewed(running: TlsSettings, wanted: TlsSettings): TlsSettings | undefined {
  const pair = isOfSameFiles(running.pair, wanted.pair) ? wanted.pair : running.pair
  const clientCa = running.clientCa?.path === wanted.clientCa?.path ? wanted.clientCa : running.clientCa
  const isSame =
    pair.certificates === running.pair.certificates &&
    pair.key === running.pair.key &&
    clientCa?.certificates === running.clientCa?.certificates
  return isSame ? undefined : { ...running, pair, clientCa }
}

function isOfSameFiles(one: KeyPair, other: KeyPair): boolean {
  return one.certificateFile === other.certificateFile && one.keyFile === other.keyFile
}
