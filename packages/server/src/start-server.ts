import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TokenBroker, type Verdict } from '@broker/core'
import { hintText, optionRules } from '@broker/core/options'
import { createAdaptorServer } from '@hono/node-server'
import type { Logger } from 'pino'
import { createAdminApp } from './admin/admin-app.ts'
import { BrokerMetrics } from './admin/broker-metrics.ts'
import { Readiness } from './admin/readiness.ts'
import { Checks, type VerdictListener } from './checks.ts'
import type { Config } from './config/config.ts'
import { configWarnings } from './config/rules/config-warnings.ts'
import { variableOf } from './config/schema/variable-of.ts'
import { createLogger } from './create-logger.ts'
import { createDexTransport } from './dex-transport.ts'
import { checkApp } from './http/check-app.ts'
import { createCheckListener } from './http/check-listener.ts'
import { HttpListener } from './http/http-listener.ts'
import { listenerOptions } from './http/listener-options.ts'
import { listenFailure, listenProblem } from './listen-failure.ts'
import { addressText, type Listener, startListeners, stopListeners } from './listener.ts'
import { version } from './version.ts'

/** A running server. */
export interface RunningServer extends AsyncDisposable {
  /** Where Envoy reaches it; the port is the real one, also when 0 was asked for. */
  readonly checkAddress: AddressInfo
  /** `undefined` when the admin listener is off, or its default port was taken. */
  readonly adminAddress: AddressInfo | undefined
  /** Stops gracefully within `shutdownTimeoutMs`; resolves with whether everything that ran was finished. */
  close(): Promise<boolean>
}

/**
 * Starts the broker behind its two listeners. Nothing is fetched, so it starts while Dex is down.
 *
 * Rejects with a `ConfigError` when a port is taken or an address is not available.
 */
export async function startServer(
  config: Config,
  logger: Logger = createLogger(config),
): Promise<RunningServer> {
  for (const warning of configWarnings(config)) logger.warn(warning)
  const metrics = new BrokerMetrics()
  const {
    requestTimeoutMs = optionRules.requestTimeoutMs.default,
    maxConnections = optionRules.maxConnections.default,
  } = config.broker
  const dex = createDexTransport({
    caCertificates: config.ca?.certificates,
    timeoutMs: requestTimeoutMs,
    maxConnections,
  })
  const broker = new TokenBroker({
    ...config.broker,
    transport: dex.transport,
    userAgent: `dex-token-broker/${version()}`,
    logger,
    observe: metrics.observe,
    describeHint: hint => hintText(hint, variableOf),
  })
  metrics.watchCache(broker)
  const readiness = new Readiness(broker, logger)
  const checks = new Checks(broker, verdictListener(metrics, logger))
  // Those that answer checks; another protocol is one more of them.
  const checkServer = createCheckListener(
    checkApp(checks),
    listenerOptions,
    unknownTargetListener(metrics, logger),
  )
  const serving = [new HttpListener('LISTEN_ADDR', checkServer, config.listen)]
  const adminApp = createAdminApp({ notReadyBecause: readiness.notReadyBecause, registry: metrics.registry })
  const admin =
    config.admin && new HttpListener('ADMIN_ADDR', createAdaptorServer(adminApp) as Server, config.admin)
  const stop = async (timeoutMs: number) => {
    const finished = await stopListeners(serving, timeoutMs)
    await admin?.stop(0)
    await broker.close()
    await dex.close()
    return finished
  }
  try {
    const [checkAddress] = (await startListeners(serving)) as [AddressInfo]
    const adminAddress = admin && (await startAdmin(admin, config.admin?.isDefault === true, logger))
    const adminText = adminAddress === undefined ? 'off' : addressText(adminAddress)
    logger.info({ check: addressText(checkAddress), admin: adminText }, 'listening')
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
): Promise<AddressInfo | undefined> {
  try {
    return await admin.start()
  } catch (error) {
    if (!isDefault) throw listenFailure(admin.variable, admin.address, error)
    // A drop-in replacement must not fail by a port that its predecessor did not ask for.
    logger.warn(
      `the admin listener is off, because ${admin.address} ${listenProblem(error)}; set ADMIN_ADDR to another address`,
    )
    return undefined
  }
}

/** Once in a while: whoever scans a network must not fill the log. */
const unknownTargetWarningMs = 60_000

function unknownTargetListener(metrics: BrokerMetrics, logger: Logger): () => void {
  let quietUntil = Number.NEGATIVE_INFINITY
  return () => {
    metrics.countUnknownTarget()
    if (performance.now() < quietUntil) return
    quietUntil = performance.now() + unknownTargetWarningMs
    logger.warn(
      "a request that is no check was answered with 404: is Envoy's path_prefix (or path, in a SecurityPolicy) /check?",
    )
  }
}

function verdictListener(metrics: BrokerMetrics, logger: Logger): VerdictListener {
  const logsChecks = logger.isLevelEnabled('debug')
  return (verdict: Verdict) => {
    metrics.countCheck(verdict)
    if (!logsChecks) return
    const { outcome } = verdict
    logger.debug(outcome === 'allow' ? { outcome } : { outcome, code: verdict.code }, 'check')
  }
}
