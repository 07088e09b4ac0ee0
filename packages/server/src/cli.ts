#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { ConfigError } from './config/config-error.ts'
import { describeConfig } from './config/describe-config.ts'
import { helpText } from './config/help-text.ts'
import { loadConfig } from './config/load-config.ts'
import { configWarnings } from './config/rules/config-warnings.ts'
import { createLogger } from './create-logger.ts'
import { startServer } from './start-server.ts'
import { version } from './version.ts'

const usage = `Usage: dex-token-broker [--help | --version | --check-config]

Answers Envoy's ext_authz checks with access tokens of Dex. Everything is configured by environment variables.

  --help          print this text
  --version       print the version
  --check-config  validate the configuration and print it, secrets masked; nothing is started

`

const exitCodes = { wrongConfiguration: 1, wrongUsage: 2 }

async function main(): Promise<void> {
  // A reader who has left, as in `--help | head`, is no fault.
  process.stdout.on('error', () => {})
  const options = readArguments()
  if (options === undefined) return
  if (options.help) {
    process.stdout.write(`${usage}${helpText().trimEnd()}\n`)
  } else if (options.version) {
    process.stdout.write(`dex-token-broker ${version()}\n`)
  } else if (options['check-config']) {
    const config = loadConfig(process.env)
    process.stdout.write(`${describeConfig(config)}\n`)
    for (const warning of configWarnings(config)) process.stderr.write(`warning: ${warning}\n`)
  } else {
    await serve()
  }
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
        'check-config': { type: 'boolean' },
      },
    })
    return values
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nTry dex-token-broker --help.\n`)
    process.exitCode = exitCodes.wrongUsage
    return undefined
  }
}

async function serve(): Promise<void> {
  // Checks that wait for Dex right after a start make V8 put what a check allocates into the old space, for good.
  setFlagsFromString('--no-allocation-site-pretenuring')
  const config = loadConfig(process.env)
  const logger = createLogger(config)
  const { issuer, tokenEndpoint } = config.broker
  logger.info({ version: version(), node: process.version, issuer, tokenEndpoint }, 'starting')
  const server = await startServer(config, logger)
  let stopping = false
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) {
      logger.warn({ signal }, 'stopping at once')
      process.exit(1)
    }
    stopping = true
    logger.info({ signal }, 'stopping')
    const finished = await server.close()
    if (finished) logger.info('stopped')
    else logger.warn('stopped: SHUTDOWN_TIMEOUT is over, and checks that still ran were cut off')
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  // Node would end the process; who sends it expects a reload.
  process.on('SIGHUP', () => logger.warn('SIGHUP: nothing is reloaded; restart to change the configuration'))
}

main().catch(error => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : (error.stack ?? error)}\n`)
  process.exitCode = exitCodes.wrongConfiguration
})
