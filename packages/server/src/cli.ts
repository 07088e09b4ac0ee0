import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { shownUrl } from '@broker/core/options'
import { BrokerServer } from './broker-server.ts'
import type { Config } from './config/config.ts'
import { configFrom } from './config/config-from.ts'
import { describeConfig } from './config/describe-config.ts'
import { fileReaderOf } from './config/file/file-reader-of.ts'
import { helpText } from './config/help-text.ts'
import { createLogger } from './create-logger.ts'
import { WrongArguments } from './explain/wrong-arguments.ts'
import { ConfigReload } from './reload/config-reload.ts'
import { ConfigSource } from './reload/config-source.ts'
import { startFailure } from './start-failure.ts'
import { onStopSignal } from './stop-signals.ts'
import { version } from './version.ts'

const usage = `Usage: dex-token-broker [--help | --version | --check-config]
       dex-token-broker explain (--jwt-file FILE | --claims FILE) [--method M] [--path P] [--header H]
       dex-token-broker doctor [--json] [--jwt-file FILE] [--envoy URL] [--envoy-config FILE]

Answers Envoy's ext_authz checks with Dex access tokens. Environment variables hold the configuration, and the
file that CONFIG_FILE names holds what needs more: issuers, clients and rules.
Files are read again when they change, and at SIGHUP. SIGUSR2 sets the log to DEBUG for ten minutes.

  --help          print this text
  --version       print the version
  --check-config  validate the configuration and print it with secrets masked, without starting anything
  doctor          check everything that the broker depends on, and say what to do; see doctor --help
  explain         show how the rules decide about a request, without requesting a token; see explain --help

`

/** Time that the reader of the log has for the last lines. */
const lastLinesMs = 1_000

/** 130: ended by SIGINT, as shells count it. */
const exitCodes = { wrongConfiguration: 1, wrongUsage: 2, interrupted: 130 }

async function main(): Promise<void> {
  // A reader that has left, as in `--help | head`, is not an error.
  process.stdout.on('error', () => {})
  if (process.argv[2] === 'explain') return explainCommand(process.argv.slice(3))
  if (process.argv[2] === 'doctor') return doctorCommand(process.argv.slice(3))
  const options = readArguments()
  if (options === undefined) return
  if (options.help) {
    process.stdout.write(`${usage}${helpText().trimEnd()}\n`)
  } else if (options.version) {
    process.stdout.write(`dex-token-broker ${version()}\n`)
  } else if (options['check-config']) {
    const config = await readConfig()
    process.stdout.write(`${describeConfig(config)}\n`)
    for (const warning of config.warnings) process.stderr.write(`warning: ${warning}\n`)
  } else {
    await serve().catch(error => {
      // People at a terminal read text; a collector of JSON lines would drop it.
      const asJson = !process.stderr.isTTY && process.env['LOG_FORMAT'] !== 'text'
      process.stderr.write(startFailure(error, { asJson }))
      process.exitCode = exitCodes.wrongConfiguration
    })
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

async function explainCommand(args: readonly string[]): Promise<void> {
  const { runExplain } = await import('./explain/run-explain.ts')
  try {
    process.stdout.write(await runExplain(args, readConfig))
  } catch (error) {
    if (!(error instanceof WrongArguments)) throw error
    process.stderr.write(`${error.message}\nTry dex-token-broker explain --help.\n`)
    process.exitCode = exitCodes.wrongUsage
  }
}

async function doctorCommand(args: readonly string[]): Promise<void> {
  const { runDoctor } = await import('./doctor/run-doctor.ts')
  onStopSignal(() => process.exit(exitCodes.interrupted))
  try {
    process.exitCode = await runDoctor(args, {
      env: process.env,
      fileReader: () => fileReaderOf(process.env),
      write: text => process.stdout.write(text),
      hasColours: process.stdout.isTTY === true && !process.env['NO_COLOR'],
    })
  } catch (error) {
    if (!(error instanceof WrongArguments)) throw error
    process.stderr.write(`${error.message}\nTry dex-token-broker doctor --help.\n`)
    process.exitCode = exitCodes.wrongUsage
  }
  // A resolver that does not answer cannot be interrupted, and would keep the process alive. The reader of the report may take its time.
  process.stdout.write('', () => setTimeout(() => process.exit(), lastLinesMs).unref())
}

async function readConfig(): Promise<Config> {
  return configFrom(process.env, await fileReaderOf(process.env))
}

async function serve(): Promise<void> {
  // Checks that wait for Dex right after a start make V8 allocate the objects of every later check in the old space.
  setFlagsFromString('--no-allocation-site-pretenuring')
  const source = new ConfigSource(process.env, await fileReaderOf(process.env))
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

main().catch(error => {
  process.stderr.write(startFailure(error, { asJson: false }))
  process.exitCode = exitCodes.wrongConfiguration
})
