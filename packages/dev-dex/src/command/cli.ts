import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { type DevDex, startDevDex } from '../dev-dex.ts'
import type { TlsIdentity } from '../loopback-server.ts'
import { readCommandLine, type Settings } from './command-line.ts'
import { startFailure } from './start-failure.ts'
import { startText } from './start-text.ts'
import { usage } from './usage.ts'
import { WrongArguments } from './wrong-arguments.ts'

const exitCodes = { failedStart: 1, wrongUsage: 2 }

async function main(): Promise<void> {
  // A reader that has left, as in `--help | head`, is not an error.
  process.stdout.on('error', () => {})
  const command = readCommandLine(process.argv.slice(2))
  if (command.action === 'help') process.stdout.write(usage)
  else if (command.action === 'version') process.stdout.write(`dev-dex ${await version()}\n`)
  else await serve(command.settings)
}

async function serve(settings: Settings): Promise<void> {
  const dex = await start(settings).catch(error => fail(startFailure(error, settings), exitCodes.failedStart))
  if (dex === undefined) return
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void dex.close())
  process.stdout.write(startText(dex, settings))
}

async function start({ tlsFiles, ...options }: Settings): Promise<DevDex> {
  return startDevDex(tlsFiles === undefined ? options : { ...options, tls: await readTls(tlsFiles) })
}

async function readTls(files: { readonly key: string; readonly cert: string }): Promise<TlsIdentity> {
  const read = (option: string, file: string) =>
    readFile(file).catch((error: NodeJS.ErrnoException) => {
      throw new Error(`${option} ${file} cannot be read: ${error.code}`)
    })
  const [key, cert] = await Promise.all([read('--tls-key', files.key), read('--tls-cert', files.cert)])
  try {
    createSecureContext({ key, cert })
  } catch (error) {
    const { message } = error as Error
    throw new Error(`--tls-cert and --tls-key are not a certificate and its key in PEM: ${message}`)
  }
  return { key, cert }
}

async function version(): Promise<string> {
  return JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')).version
}

function fail(message: string, exitCode: number): undefined {
  process.stderr.write(`dev-dex: ${message}\n`)
  process.exitCode = exitCode
}

main().catch(error => {
  if (!(error instanceof WrongArguments)) throw error
  fail(`${error.message}\nTry dev-dex --help.`, exitCodes.wrongUsage)
})
