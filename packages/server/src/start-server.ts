import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TokenBroker } from '@broker/core'
import { createAdaptorServer } from '@hono/node-server'
import type { Logger } from 'pino'
import { createAdminApp } from './admin/admin-app.ts'
import { BrokerMetrics } from './admin/broker-metrics.ts'
import { Readiness } from './admin/readiness.ts'
import { brokerOptions } from './broker-options.ts'
import type { Config } from './config/config.ts'
import { ConfigError } from './config/config-error.ts'
import { configWarnings } from './config/config-warnings.ts'
import { formatListenAddress } from './config/listen-address.ts'
import { createLogger } from './create-logger.ts'
import { createDexTransport } from './dex-transport.ts'
import { createCheckApp } from './http/check-app.ts'
import { createCheckListener } from './http/check-listener.ts'
import { GracefulStop } from './http/graceful-stop.ts'
import { addressText, listen } from './listen.ts'

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
 * Rejects with a `ConfigError` when a port is taken or an address is not to be had.
 */
export async function startServer(
  config: Config,
  logger: Logger = createLogger(config),
): Promise<RunningServer> {
  for (const warning of configWarnings(config)) logger.warn(warning)
  const metrics = new BrokerMetrics()
  const dex = createDexTransport({ caCertificates: config.caCertificates, timeoutMs: config.httpTimeoutMs })
  const broker = new TokenBroker({
    ...brokerOptions(config),
    transport: dex.transport,
    logger,
    observe: metrics.observe,
  })
  metrics.watchCache(broker)
  const readiness = new Readiness(broker, config, logger)
  const logsChecks = logger.isLevelEnabled('debug')
  const checkApp = createCheckApp(broker, verdict => {
    metrics.countCheck(verdict)
    if (!logsChecks) return
    const { outcome } = verdict
    logger.debug(outcome === 'allow' ? { outcome } : { outcome, code: verdict.code }, 'check')
  })
  const checkListener = createCheckListener(checkApp)
  const adminListener = createAdaptorServer(
    createAdminApp({ notReadyBecause: readiness.notReadyBecause, registry: metrics.registry }),
  ) as Server
  const release = async () => {
    await broker.close()
    await dex.close()
  }
  const listening = await startListeners(config, checkListener, adminListener, logger).catch(async error => {
    await release()
    throw error
  })
  const gracefulStop = new GracefulStop(checkListener)
  const close = async () => {
    readiness.drain()
    const finished = await gracefulStop.stop(config.shutdownTimeoutMs)
    adminListener.close()
    adminListener.closeAllConnections()
    await release()
    return finished
  }
  return { ...listening, close, [Symbol.asyncDispose]: async () => void (await close()) }
}

async function startListeners(
  config: Config,
  checkListener: Server,
  adminListener: Server,
  logger: Logger,
): Promise<Pick<RunningServer, 'checkAddress' | 'adminAddress'>> {
  const checkAddress = await listen(checkListener, config.listen).catch(error => {
    throw notListening('LISTEN_ADDR', formatListenAddress(config.listen), error)
  })
  try {
    const adminAddress = await startAdmin(config, adminListener, logger)
    const admin = adminAddress === undefined ? 'off' : addressText(adminAddress)
    logger.info({ check: addressText(checkAddress), admin }, 'listening')
    return { checkAddress, adminAddress }
  } catch (error) {
    checkListener.close()
    throw error
  }
}

async function startAdmin(
  { admin }: Config,
  listener: Server,
  logger: Logger,
): Promise<AddressInfo | undefined> {
  if (admin === undefined) return undefined
  try {
    return await listen(listener, admin)
  } catch (error) {
    const text = formatListenAddress(admin)
    if (!admin.isDefault) throw notListening('ADMIN_ADDR', text, error)
    // A drop-in replacement must not fail by a port that its predecessor did not ask for.
    logger.warn(
      `the admin listener is off, because ${text} ${listenFailure(error)}; set ADMIN_ADDR to another address`,
    )
    return undefined
  }
}

function notListening(variable: string, address: string, error: unknown): ConfigError {
  const example = variable === 'LISTEN_ADDR' ? 'LISTEN_ADDR=:18080' : 'ADMIN_ADDR=:18081'
  return new ConfigError([{ variable, problem: `${address} ${listenFailure(error)}`, example }])
}

function listenFailure(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE') return 'is already in use'
  if (code === 'EACCES') return 'needs a privilege that this process does not have'
  if (code === 'EADDRNOTAVAIL') return 'is no address of this machine'
  return `cannot be listened on (${code})`
}
