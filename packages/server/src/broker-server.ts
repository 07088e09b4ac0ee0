import type { AddressInfo } from 'node:net'
import { TokenBroker, type TokenBrokerOptions } from '@broker/core'
import { bugHint } from '@broker/core/diagnosis'
import type { Logger } from 'pino'
import { AdminServer } from './admin/admin-server.ts'
import { BrokerMetrics } from './admin/broker-metrics.ts'
import { Readiness } from './admin/readiness.ts'
import { CheckLog } from './check-log.ts'
import { type CheckProtocol, Checks } from './checks.ts'
import type { Config } from './config/config.ts'
import { withRunningSettings } from './config/with-running-settings.ts'
import { ConfigLog } from './config-log.ts'
import { configuredBrokerOptions } from './configured-broker-options.ts'
import { createLogger, droppedLines, recentLines } from './create-logger.ts'
import { connectionAgeGraceMs } from './grpc/connection-age-grace.ts'
import type { GrpcParts } from './grpc/grpc-listener.ts'
import { checkApp } from './http/check-app.ts'
import { createCheckListener } from './http/check-listener.ts'
import { HttpListener } from './http/http-listener.ts'
import { listenerOptions } from './http/listener-options.ts'
import { IssuerTransports } from './issuer-transports.ts'
import { listenFailure, listenProblem } from './listen-failure.ts'
import { addressText, type Listener, startListeners, stopListeners } from './listener.ts'
import { type LoadedParts, loadParts } from './loaded-parts.ts'
import { LogLevelControl } from './log-level-control.ts'
import { logRuleFailures } from './rules/log-rule-failures.ts'
import type { RunningServer } from './running-server.ts'
import type { ServerStore } from './shared-store/server-store.ts'
import { ServerTls } from './tls/server-tls.ts'
import { TracedChecks } from './tracing/traced-checks.ts'
import type { Traces } from './tracing/traces.ts'

/** A broker behind its listeners, with the configuration in effect. */
export class BrokerServer implements RunningServer {
  readonly metrics: BrokerMetrics
  readonly logLevel: LogLevelControl
  readonly #logger: Logger
  readonly #configLog: ConfigLog
  readonly #traces: Traces | undefined
  readonly #transports: IssuerTransports
  readonly #tls: ServerTls
  readonly #store: ServerStore | undefined
  readonly #broker: TokenBroker
  readonly #readiness: Readiness
  readonly #checkLog: CheckLog
  readonly #http: Listener
  readonly #grpc: Listener | undefined
  readonly #admin: Listener | undefined
  #config: Config
  #checkAddresses: readonly AddressInfo[] = []
  #grpcAddresses: readonly AddressInfo[] = []
  #adminAddresses: readonly AddressInfo[] = []

  /** Starts a server like `startServer`. */
  static async start(config: Config, ownLogger?: Logger): Promise<BrokerServer> {
    const logger = ownLogger ?? (await createLogger(config))
    const server = new BrokerServer(config, logger, await loadParts(config, logger))
    await server.#start()
    return server
  }

  private constructor(config: Config, logger: Logger, { store, grpc, traces }: LoadedParts) {
    this.#configLog = new ConfigLog(config, logger)
    this.#config = config
    this.#logger = logger
    this.#traces = traces
    const protocols: CheckProtocol[] = config.grpc === undefined ? ['http'] : ['http', 'grpc']
    this.metrics = new BrokerMetrics(() => droppedLines(logger), protocols)
    this.#tls = new ServerTls(config, this.metrics.tls, logger)
    this.#store = store
    this.#transports = new IssuerTransports(config)
    this.#broker = new TokenBroker(this.#brokerOptions(config, this.#transports.issuers))
    logRuleFailures(config, this.#broker.logger)
    this.metrics.watch(this.#broker)
    this.#tellSealingKey()
    this.#readiness = new Readiness(this.#broker, logger)
    this.#checkLog = new CheckLog(this.metrics, logger, config.accessLog)
    this.logLevel = new LogLevelControl({ logger, onChange: () => this.#checkLog.levelChanged() })
    const checks = this.#checks('http')
    const app = checkApp(checks)
    const onUnknownTarget = (headers: readonly string[]) =>
      this.#checkLog.onUnknownTarget(checks.logFieldsOf({ headers }))
    const { check } = this.#tls
    const createServer = () =>
      createCheckListener(app, listenerOptions, onUnknownTarget, check?.createHttpServer).on(
        'clientError',
        this.#checkLog.onClientError,
      )
    this.#http = new HttpListener('LISTEN_ADDR', createServer, config.listen, check)
    this.#grpc = config.grpc && grpc?.(config.grpc, this.#grpcParts(config))
    this.#admin =
      config.admin &&
      new AdminServer(config.admin, {
        broker: this.#broker,
        registry: this.metrics.registry,
        readiness: this.#readiness,
        config: () => this.#config,
        recentLines: recentLines(logger),
        tls: this.#tls,
        logLevel: this.logLevel,
        logger,
      })
  }

  get checkAddress(): AddressInfo {
    return this.#checkAddresses[0] as AddressInfo
  }

  get grpcAddress(): AddressInfo | undefined {
    return this.#grpcAddresses[0]
  }

  get adminAddress(): AddressInfo | undefined {
    return this.#adminAddresses[0]
  }

  reload(wanted: Config): void {
    const { config, waiting } = withRunningSettings(wanted, this.#config)
    const transports = this.#transports.prepare(config)
    try {
      this.#broker.reconfigure(this.#brokerOptions(config, transports.issuers))
    } catch (error) {
      transports.discard()
      throw error
    }
    transports.commit()
    this.#tls.renew(config)
    this.#store?.renew(config)
    this.#tellSealingKey()
    logRuleFailures(config, this.#broker.logger)
    this.#configLog.reloaded(config, waiting)
    if (config.logLevel !== this.#config.logLevel) this.logLevel.set(config.logLevel, 'reload')
    this.#checkLog.accessLog = config.accessLog
    this.#config = config
    this.metrics.countReload('applied')
    if (this.#tellsReadiness) this.#readiness.reloaded()
  }

  close(): Promise<boolean> {
    this.#readiness.drain()
    return this.#stop(this.#config.shutdownTimeoutMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Whether a listener answers probes: the health service of gRPC does as well. */
  get #tellsReadiness(): boolean {
    return this.adminAddress !== undefined || this.#grpc !== undefined
  }

  /** Listeners that answer checks, one per protocol. */
  get #serving(): readonly Listener[] {
    return this.#grpc === undefined ? [this.#http] : [this.#http, this.#grpc]
  }

  /** Without traces, a check passes through nothing that knows of them. */
  #checks(protocol: CheckProtocol): Checks {
    return this.#traces === undefined
      ? new Checks(this.#broker, protocol, this.#checkLog)
      : new TracedChecks(this.#broker, protocol, this.#checkLog, this.#traces.tracer)
  }

  #grpcParts(config: Config): GrpcParts {
    return {
      checks: this.#checks('grpc'),
      sendsMetadata: config.grpcDynamicMetadata,
      notReadyBecause: this.#readiness.notReadyBecause,
      tls: this.#tls.grpc,
      maxConnectionAgeMs: config.grpcMaxConnectionAgeMs || undefined,
      maxConnectionAgeGraceMs: () => connectionAgeGraceMs(this.#config),
      onError: err => this.#logger.error({ err, hint: bugHint }, 'a gRPC call failed unexpectedly'),
      onFault: this.#checkLog.onGrpcFault,
    }
  }

  async #start(): Promise<void> {
    await this.#store?.attempted()
    try {
      const [http = [], grpc = []] = await startListeners(this.#serving)
      this.#checkAddresses = http
      this.#grpcAddresses = grpc
      this.#adminAddresses = this.#admin ? await this.#startAdmin(this.#admin) : []
    } catch (error) {
      await this.#stop(0)
      throw error
    }
    const admin = this.#adminAddresses.length === 0 ? 'off' : addressText(this.#adminAddresses)
    const grpc = this.#grpcAddresses.length === 0 ? undefined : addressText(this.#grpcAddresses)
    this.#logger.info({ check: addressText(this.#checkAddresses), admin, grpc }, 'listening')
    // Starts to load what is missing, so that the first readiness probe of a rollout can already succeed.
    if (this.#tellsReadiness) this.#readiness.notReadyBecause()
  }

  async #startAdmin(admin: Listener): Promise<readonly AddressInfo[]> {
    try {
      return await admin.start()
    } catch (error) {
      if (this.#config.admin?.isDefault !== true) throw listenFailure(admin.variable, admin.address, error)
      // A drop-in successor must not fail on a port that its predecessor did not use.
      this.#logger.warn(
        { hint: 'set ADMIN_ADDR to another address, or to off' },
        `admin listener off: ${admin.address} ${listenProblem(error)}`,
      )
      return []
    }
  }

  async #stop(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs
    const finished = await stopListeners(this.#serving, timeoutMs)
    this.logLevel.close()
    await this.#admin?.stop(0)
    this.#tls.close()
    await this.#broker.close()
    await this.#store?.close()
    await this.#traces?.close(Math.max(0, deadline - performance.now()))
    await this.#transports.close()
    return finished
  }

  #brokerOptions(config: Config, issuers: TokenBrokerOptions['issuers']): TokenBrokerOptions {
    return {
      ...configuredBrokerOptions(config, this.#transports, issuers),
      sharedStore: this.#store?.options(config),
      logger: this.#logger,
      observe: this.metrics.observe,
      tracer: this.#traces?.tracer,
    }
  }

  #tellSealingKey(): void {
    const id = this.#store?.sealingKeyId
    if (id !== undefined) this.metrics.setSealingKey(id)
  }
}
