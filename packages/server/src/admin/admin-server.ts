import type { TokenBroker } from '@broker/core'
import { bugHint } from '@broker/core/diagnosis'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { AdminAddress, Config } from '../config/config.ts'
import { HttpListener } from '../http/http-listener.ts'
import type { LogLevelControl } from '../log-level-control.ts'
import type { RecentLines } from '../recent-lines.ts'
import type { ServerTls } from '../tls/server-tls.ts'
import { createAdminApp } from './admin-app.ts'
import { createAdminListener } from './admin-listener.ts'
import { LogLevelPage } from './log-level-page.ts'
import { StatusPage } from './page/status-page.ts'
import type { Readiness } from './readiness.ts'
import { VerboseReadiness } from './verbose-readiness.ts'

export interface AdminServerParts {
  readonly broker: Pick<TokenBroker, 'status'>
  readonly registry: Registry
  readonly readiness: Readiness
  /** The configuration in effect. */
  readonly config: () => Config
  /** `undefined` when the log goes to a logger that keeps no lines. */
  readonly recentLines: RecentLines | undefined
  readonly tls: Pick<ServerTls, 'admin' | 'certificates'>
  readonly logLevel: LogLevelControl
  readonly logger: Logger
}

/** The server for operators and orchestrators at ADMIN_ADDR. */
export class AdminServer extends HttpListener {
  readonly #page: StatusPage

  constructor(address: AdminAddress, parts: AdminServerParts) {
    const { broker, registry, readiness, config, recentLines, tls } = parts
    const { notReadyBecause } = readiness
    const certificates = () => tls.certificates
    const page = new StatusPage({ broker, registry, notReadyBecause, config, recentLines, certificates })
    const logLevel = new LogLevelPage(parts.logLevel, config)
    const verbose = new VerboseReadiness(config)
    const onFailure = (error: Error) =>
      parts.logger.error({ err: error, hint: bugHint }, 'request to the admin listener failed')
    const app = createAdminApp({ notReadyBecause, registry, verbose, page, logLevel, onFailure })
    super('ADMIN_ADDR', () => createAdminListener(app, tls.admin?.createHttpServer), address, tls.admin)
    this.#page = page
  }

  /** Ends open status pages first, which would never end by themselves. */
  override stop(timeoutMs: number): Promise<boolean> {
    this.#page[Symbol.dispose]()
    return super.stop(timeoutMs)
  }
}
