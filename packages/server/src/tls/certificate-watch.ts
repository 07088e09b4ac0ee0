import type { Logger } from 'pino'
import type { CertificateParts } from '../config/tls-settings.ts'
import { certificateWarnings } from './certificate-warning.ts'

const lookIntervalMs = 3_600_000
const dayMs = 86_400_000

export interface CertificateWatchOptions {
  /** The certificates in use. */
  readonly read: () => CertificateParts
  readonly logger: Pick<Logger, 'warn'>
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** Warns once a day of certificates that expire soon. The start and each reload warn by themselves. */
export class CertificateWatch {
  readonly #options: Required<CertificateWatchOptions>
  readonly #warnedAt = new Map<string, number>()
  readonly #timer: NodeJS.Timeout

  constructor({ read, logger, now = Date.now }: CertificateWatchOptions) {
    this.#options = { read, logger, now }
    for (const warning of certificateWarnings(read(), now())) this.#warnedAt.set(warning, now())
    this.#timer = setInterval(() => this.look(), lookIntervalMs).unref()
  }

  /** Looks at the certificates, as it does every hour. */
  look(): void {
    const { read, logger, now } = this.#options
    const warnings = certificateWarnings(read(), now())
    for (const known of this.#warnedAt.keys()) if (!warnings.includes(known)) this.#warnedAt.delete(known)
    for (const warning of warnings) {
      if (now() - (this.#warnedAt.get(warning) ?? Number.NEGATIVE_INFINITY) < dayMs) continue
      this.#warnedAt.set(warning, now())
      logger.warn(warning)
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
