import type { AddressInfo } from 'node:net'
import { type CheckRequest, TokenBroker, type Verdict } from '@broker/core'
import type { Logger } from 'pino'
import { createAdminApp } from './admin/admin-app.ts'
import { createAdminListener } from './admin/admin-listener.ts'
import { BrokerMetrics } from './admin/broker-metrics.ts'
import { Readiness } from './admin/readiness.ts'
import { Checks, type VerdictListener } from './checks.ts'
import type { Config } from './config/config.ts'
import { createLogger, droppedLines } from './create-logger.ts'
import { describeHint } from './describe-hint.ts'
import { checkApp } from './http/check-app.ts'
import { createCheckListener } from './http/check-listener.ts'
import { HttpListener } from './http/http-listener.ts'
import { listenerOptions } from './http/listener-options.ts'
import { createIssuerTransports } from './issuer-transports.ts'
import { listenFailure, listenProblem } from './listen-failure.ts'
import { addressText, type Listener, startListeners, stopListeners } from './listener.ts'
import { traceOf } from './trace-of.ts'
import { version } from './version.ts'

/** A running server. */
export interface RunningServer extends AsyncDisposable {
  /** Where Envoy reaches it, the first of several; its port is the real one when 0 was configured. */
  readonly checkAddress: AddressInfo
  /** `undefined` when the admin listener is off, or its default port was in use. */
  readonly adminAddress: AddressInfo | undefined
  /** Stops gracefully within `shutdownTimeoutMs`; resolves with whether every running check was finished. */
  close(): Promise<boolean>
}

/**
 * Starts the broker behind its two listeners. Waits for nothing else, so it starts while Dex is down; with `DEX_ISSUER`
 * or a gate, discovery and the key set begin to load in the background.
 *
 * Rejects with a `ConfigError` when a port is in use or an address is not available.
 */
export async function startServer(
  config: Config,
  logger: Logger = createLogger(config),
): Promise<RunningServer> {
  for (const warning of config.warnings) logger.warn(warning)
  if (config.file?.rules) {
    config.file.rules.failures.listener = failure =>
      logger.warn({ ...failure }, 'the expression of a rule failed; request refused')
  }
  const metrics = new BrokerMetrics(() => droppedLines(logger))
  const transports = createIssuerTransports(config)
  const { transport, issuers } = transports
  const broker = new TokenBroker({
    ...config.broker,
    ...(issuers && { issuers }),
    transport,
    userAgent: `dex-token-broker/${version()}`,
    logger,
    observe: metrics.observe,
    describeHint,
  })
  metrics.watchCache(broker)
  const readiness = new Readiness(broker, logger)
  const checks = new Checks(broker, verdictListener(metrics, logger))
  const app = checkApp(checks)
  const onUnknownTarget = unknownTargetListener(metrics, logger)
  const createServer = () => createCheckListener(app, listenerOptions, onUnknownTarget)
  // Listeners that answer checks, one per protocol.
  const serving = [new HttpListener('LISTEN_ADDR', createServer, config.listen)]
  const adminApp = createAdminApp({ notReadyBecause: readiness.notReadyBecause, registry: metrics.registry })
  const admin =
    config.admin && new HttpListener('ADMIN_ADDR', () => createAdminListener(adminApp), config.admin)
  const stop = async (timeoutMs: number) => {
    const finished = await stopListeners(serving, timeoutMs)
    await admin?.stop(0)
    await broker.close()
    await transports.close()
    return finished
  }
  try {
    const checkAddresses = (await startListeners(serving)).flat()
    const adminAddresses = admin ? await startAdmin(admin, config.admin?.isDefault === true, logger) : []
    const adminText = adminAddresses.length === 0 ? 'off' : addressText(adminAddresses)
    logger.info({ check: addressText(checkAddresses), admin: adminText }, 'listening')
    const [checkAddress, adminAddress] = [checkAddresses[0] as AddressInfo, adminAddresses[0]]
    // Starts to load what is missing, so that the first readiness probe of a rollout can already succeed.
    if (adminAddress !== undefined) readiness.notReadyBecause()
    const close = () => {
      readiness.drain()
      return stop(config.shutdownTimeoutMs)
    }
    return { checkAddress, adminAddress, close, [Symbol.asyncDispose]: async () => void (await close()) }
  } catch (error) {
    await stop(0)
    throw error
  }
}

async function startAdmin(
  admin: Listener,
  isDefault: boolean,
  logger: Logger,
): Promise<readonly AddressInfo[]> {
  try {
    return await admin.start()
  } catch (error) {
    if (!isDefault) throw listenFailure(admin.variable, admin.address, error)
    // A drop-in successor must not fail on a port that its predecessor did not use.
    logger.warn(
      `admin listener off: ${admin.address} ${listenProblem(error)}; set ADMIN_ADDR to another address`,
    )
    return []
  }
}

/** A network scanner must not fill the log. */
const unknownTargetWarningMs = 60_000

function unknownTargetListener(metrics: BrokerMetrics, logger: Logger): () => void {
  let quietUntil = Number.NEGATIVE_INFINITY
  return () => {
    metrics.countUnknownTarget()
    if (performance.now() < quietUntil) return
    quietUntil = performance.now() + unknownTargetWarningMs
    logger.warn(
      'request outside /check answered with 404; set path_prefix to /check in Envoy, or path in the SecurityPolicy',
    )
  }
}

function verdictListener(metrics: BrokerMetrics, logger: Logger): VerdictListener {
  const logsChecks = logger.isLevelEnabled('debug')
  return (verdict: Verdict, request: CheckRequest) => {
    metrics.countCheck(verdict)
    if (!logsChecks) return
    const { outcome, rule } = verdict
    const code = outcome === 'allow' ? undefined : verdict.code
    logger.debug({ outcome, code, rule, ...traceOf(request) }, 'check')
  }
}
