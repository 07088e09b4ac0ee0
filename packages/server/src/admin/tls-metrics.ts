import { Counter, Gauge, type Registry } from 'prom-client'
import type { CertificateInUse } from '../tls/certificate-in-use.ts'
import { handshakeFailures } from '../tls/handshake-failure.ts'

/** The metrics of TLS. */
export class TlsMetrics {
  readonly #failures: Counter
  #certificates: () => readonly CertificateInUse[] = () => []

  constructor(prefix: string, registry: Registry) {
    this.#failures = new Counter({
      name: `${prefix}tls_connections_refused_total`,
      help: 'Connections to a listener with TLS that were refused, by reason.',
      labelNames: ['listener', 'reason'],
      registers: [registry],
    })
    const certificates = () => this.#certificates()
    new Gauge({
      name: `${prefix}tls_certificate_not_after_seconds`,
      help: 'When the certificate in use expires, in seconds since 1970: the first of its chain.',
      labelNames: ['listener'],
      registers: [registry],
      collect() {
        this.reset()
        for (const { listener, validTo } of certificates()) this.set({ listener }, validTo / 1000)
      },
    })
  }

  /** `read` is asked for the certificates in use when Prometheus asks. */
  watch(read: () => readonly CertificateInUse[]): void {
    this.#certificates = read
  }

  /** Makes the series of a listener visible, with zeros: an alert on an increase needs them before the first failure. */
  announce(listener: string): void {
    for (const reason of handshakeFailures) this.#failures.inc({ listener, reason }, 0)
  }

  countFailure(listener: string, reason: string): void {
    this.#failures.inc({ listener, reason })
  }
}
