import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from './free-port.ts'
import { locateIssuer } from './issuer-location.ts'
import { type RealDexSettings, realDexConfiguration } from './real-dex-configuration.ts'

/** How a real Dex starts. */
export interface RealDexOptions extends RealDexSettings {
  /** Port on 127.0.0.1; 0, the default, takes a free one. */
  readonly port?: number
  /** How long the start may take; default 15 seconds. */
  readonly startTimeoutMs?: number
}

/** A running Dex process. On memory storage, the default, its keys are lost when it ends. */
export interface RealDex extends AsyncDisposable {
  /** The `iss` of its tokens. */
  readonly issuer: string
  /** The port on which it listens. */
  readonly port: number
  /** URL of the discovery document. */
  readonly discoveryUri: string
  /** Issues tokens (RFC 6749 section 3.2). */
  readonly tokenEndpoint: string
  /** Serves the key set (RFC 7517 section 5). */
  readonly jwksUri: string
  /** Tells whether a token is active (RFC 7662). */
  readonly introspectionEndpoint: string
  /** Serves the claims of a user's token (OpenID Connect Core section 5.3). */
  readonly userinfoEndpoint: string
  /** Ends the process and removes its files. */
  close(): Promise<void>
}

/**
 * Starts a Dex binary and waits until it answers; rejects with the end of its log when it does not, and
 * with the system's EADDRINUSE when the port is taken.
 *
 * The client_credentials grant needs a build of Dex later than 2026-03-03.
 */
export async function startRealDex(binary: string, options: RealDexOptions = {}): Promise<RealDex> {
  const { startTimeoutMs = 15_000, issuerPath = '/dex' } = options
  const port = await findFreePort(options.port ?? 0)
  const address = `127.0.0.1:${port}`
  const reached = `http://${address}`
  const { issuer, path } = locateIssuer(options.issuer ?? `${reached}${issuerPath}`)
  const url = (route: string) => `${reached}${path(route)}`
  const directory = await mkdtemp(join(tmpdir(), 'real-dex-'))
  const file = join(directory, 'config.yaml')
  await writeFile(file, await realDexConfiguration(issuer, address, options))

  const child = spawn(binary, ['serve', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  // The child must not outlive a parent that forgets to close it.
  const killChild = () => child.kill('SIGKILL')
  process.once('exit', killChild)

  async function close(): Promise<void> {
    await endProcess(child)
    process.removeListener('exit', killChild)
    await rm(directory, { recursive: true, force: true })
  }

  try {
    await becomeReady(child, url('/healthz'), startTimeoutMs)
  } catch (error) {
    await close()
    throw error
  }
  return {
    issuer,
    port,
    discoveryUri: url('/.well-known/openid-configuration'),
    tokenEndpoint: url('/token'),
    jwksUri: url('/keys'),
    introspectionEndpoint: url('/token/introspect'),
    userinfoEndpoint: url('/userinfo'),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function becomeReady(child: ChildProcess, healthUrl: string, timeoutMs: number): Promise<void> {
  let log = ''
  let failure: Error | undefined
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-2000)
  })
  child.once('error', error => {
    failure = error
  })
  const deadline = Date.now() + timeoutMs
  while (!(await answers(healthUrl))) {
    if (failure !== undefined) throw failure
    if (hasEnded(child)) throw new Error(`Dex ended while starting:\n${log}`)
    if (Date.now() > deadline) throw new Error(`Dex did not answer within ${timeoutMs} ms:\n${log}`)
    await delay(25)
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const impatience = setTimeout(() => child.kill('SIGKILL'), 2000)
  await exited
  clearTimeout(impatience)
}
