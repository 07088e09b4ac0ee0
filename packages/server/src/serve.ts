import { setFlagsFromString } from 'node:v8'
import { shownUrl } from '@broker/core/options'
import { BrokerServer } from './broker-server.ts'
import { lastLinesMs } from './command-line/last-lines-ms.ts'
import { fileReaderOf } from './config/file/file-reader-of.ts'
import { createLogger } from './create-logger.ts'
import { ConfigReload } from './reload/config-reload.ts'
import { ConfigSource } from './reload/config-source.ts'
import { onStopSignal } from './stop-signals.ts'
import { version } from './version.ts'

/** Starts the server with this environment, and stops it at a signal. Rejects when it cannot start. */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  // Checks that wait for Dex right after a start make V8 allocate the objects of every later check in the old space.
  setFlagsFromString('--no-allocation-site-pretenuring')
  const source = new ConfigSource(env, await fileReaderOf(env))
  const config = source.load()
  const logger = await createLogger(config)
  const { issuer, tokenEndpoint } = config.broker
  const endpoint = tokenEndpoint && shownUrl(tokenEndpoint)
  const file = config.file && {
    configFile: config.file.path,
    issuers: config.file.issuers,
    clients: config.file.clients,
    rules: config.file.rules?.count ?? 0,
  }
  logger.info(
    {
      version: version(),
      node: process.version,
      issuer,
      tokenEndpoint: endpoint,
      sharedStore: config.sharedStoreUrl,
      ...file,
    },
    'starting',
  )
  const server = await BrokerServer.start(config, logger)
  const reload = new ConfigReload({ source, server, metrics: server.metrics, logger })
  reload.watch()
  let stopping = false
  onStopSignal(async signal => {
    if (stopping) {
      logger.warn({ signal }, 'stopping at once')
      process.exit(1)
    }
    stopping = true
    logger.info({ signal }, 'stopping')
    reload.close()
    const finished = await server.close()
    if (finished) logger.info('stopped')
    else {
      const hint = 'raise SHUTDOWN_TIMEOUT above HTTP_TIMEOUT, and the grace period of the pod above both'
      logger.warn({ hint }, 'stopped after SHUTDOWN_TIMEOUT; checks that were still running were cut off')
    }
    // A log reader that has stopped reading would keep the process alive.
    setTimeout(() => process.exit(), lastLinesMs).unref()
  })
  // Both ignored since the first moment, when there was nothing to reload.
  process.on('SIGHUP', () => void reload.reloadNow())
  process.on('SIGUSR2', () => server.logLevel.debugForTenMinutes())
}
