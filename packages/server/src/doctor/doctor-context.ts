import { optionRules } from '@broker/core/options'
import type { Config } from '../config/config.ts'
import { IssuerTransports } from '../issuer-transports.ts'
import { TrustContexts } from '../trust-contexts.ts'
import { version } from '../version.ts'

/** The things that the checks of one run share. */
export class DoctorContext implements AsyncDisposable {
  readonly config: Config
  /** The transports of the server, so that a request here fails exactly as there. */
  readonly transports: IssuerTransports
  readonly trust: TrustContexts = new TrustContexts()
  /** Ends the run. */
  readonly signal: AbortSignal
  /** Wall clock, in milliseconds. */
  readonly now: () => number
  readonly userAgent: string = `dex-token-broker/${version()} doctor`

  constructor(config: Config, signal: AbortSignal, now: () => number = Date.now) {
    this.config = config
    this.transports = new IssuerTransports(config)
    this.signal = signal
    this.now = now
  }

  /** The limit of one check: HTTP_TIMEOUT. */
  get timeoutMs(): number {
    return this.config.broker.requestTimeoutMs ?? optionRules.requestTimeoutMs.default
  }

  /** A signal that aborts at the limit of one check. */
  deadline(): AbortSignal {
    return AbortSignal.any([this.signal, AbortSignal.timeout(this.timeoutMs)])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transports.close()
  }
}
