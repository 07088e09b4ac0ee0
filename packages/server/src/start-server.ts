import type { Logger } from 'pino'
import { BrokerServer } from './broker-server.ts'
import type { Config } from './config/config.ts'
import type { RunningServer } from './running-server.ts'

/**
 * Starts the broker behind its listeners. Waits for nothing else, so it starts while Dex is down; with `DEX_ISSUER`
 * or a gate, discovery and the key set begin to load in the background.
 *
 * Rejects with a `ConfigError` when a port is in use or an address is not available.
 */
export async function startServer(config: Config, logger?: Logger): Promise<RunningServer> {
  return BrokerServer.start(config, logger)
}
