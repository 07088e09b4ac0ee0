import { setTimeout as delay } from 'node:timers/promises'
import { type BrokerPorts, brokerCommand, listeningPorts, ManagedProcess } from '@broker/testing'
import { BrokerLog } from './broker-log.ts'
import { QuickstartFailure } from './quickstart-failure.ts'

const startTimeoutMs = 15_000
/** A terminal sends Ctrl-C to the broker as well, which may end before this process has heard of it. */
const interruptionMs = 100
/** A little longer than the broker's own `SHUTDOWN_TIMEOUT` below. */
const stopTimeoutMs = 4_000

/** How the broker starts. */
export interface BrokerProcessOptions {
  /** Ports on 127.0.0.1; 0 takes a free one. */
  readonly port: number
  readonly adminPort: number
  /** The broker's other variables. */
  readonly environment: Readonly<Record<string, string>>
  /** Gets each line of its log. */
  readonly onLogLine: (line: string) => void
}

/** The broker, as its own process. */
export interface BrokerProcess {
  /** Where the checks are asked. */
  readonly url: string
  /** Where `/metrics` and `/readyz` are. */
  readonly adminUrl: string
  readonly pid: number
  readonly logFile: string
  /** Rejects when the process ends and `close` was not called. */
  readonly died: Promise<never>
  /** Ends the process; its log file goes, unless it is to be kept. */
  close(options?: { readonly keepLog: boolean }): Promise<void>
}

/** Runs the command `dex-token-broker` and waits until it listens. */
export async function startBroker(options: BrokerProcessOptions): Promise<BrokerProcess> {
  const listening = Promise.withResolvers<BrokerPorts>()
  const log = await BrokerLog.create(line => {
    options.onLogLine(line)
    // Asking a port instead might reach another process.
    const ports = listeningPorts(line)
    if (ports !== undefined) listening.resolve(ports)
  })
  const broker = new ManagedProcess('the broker', process.execPath, [brokerCommand], {
    // Nothing else of our environment: a STATIC_CLIENT_ID in somebody's shell would change what the walk shows.
    env: {
      ...(process.env['SystemRoot'] !== undefined && { SystemRoot: process.env['SystemRoot'] }),
      LISTEN_ADDR: `127.0.0.1:${options.port}`,
      ADMIN_ADDR: `127.0.0.1:${options.adminPort}`,
      SHUTDOWN_TIMEOUT: '3s',
      ...options.environment,
    },
    onOutput: text => log.write(text),
    patienceMs: stopTimeoutMs,
  })

  let started = false
  let closing = false
  const died = broker.ended().then(async end => {
    await delay(interruptionMs)
    const how = typeof end === 'number' ? `exit code ${end}` : `${end}`
    if (!closing) throw new QuickstartFailure(deathNotice(log, how, started))
    return new Promise<never>(() => {})
  })
  // Nobody may be listening yet, or any more.
  died.catch(() => {})

  const close: BrokerProcess['close'] = async ({ keepLog } = { keepLog: false }) => {
    closing = true
    await broker[Symbol.asyncDispose]()
    await log.close()
    if (!keepLog) await log.remove()
  }

  const late = setTimeout(() => {
    listening.reject(new QuickstartFailure(`The broker did not listen within ${startTimeoutMs / 1000} s.`))
  }, startTimeoutMs)
  try {
    const { port, adminPort } = await Promise.race([listening.promise, died])
    started = true
    return {
      url: `http://127.0.0.1:${port}`,
      adminUrl: `http://127.0.0.1:${adminPort}`,
      pid: broker.pid,
      logFile: log.file,
      died,
      close,
    }
  } catch (error) {
    await close()
    throw error
  } finally {
    clearTimeout(late)
  }
}

/** The log of a broker that never listened is short, and its file is not kept. */
function deathNotice({ tail, file }: BrokerLog, how: string, started: boolean): string {
  const head = started
    ? `The broker has ended unexpectedly (${how}). The end of its log, ${file}:`
    : `The broker did not start (${how}). Its log:`
  return [head, ...tail].join('\n')
}
