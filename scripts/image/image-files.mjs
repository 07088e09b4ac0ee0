// Makes the container image's files as the Dockerfile does, from the committed files that it copies, and runs them the
// way Kubernetes does: as an unprivileged user, on files that cannot be written. Needs git and pnpm; no container engine.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { root } from '../workspace/workspace-packages.cjs'
import { filesBelow, reasonToLeaveOut } from './image-tree.mjs'

const unprivilegedId = '65532'
const startTimeoutMs = 15_000
const stopTimeoutMs = 15_000
const serverEnvironment = {
  LISTEN_ADDR: '127.0.0.1:0',
  ADMIN_ADDR: '127.0.0.1:0',
  DEX_TOKEN_URL: 'https://dex.example.com/token',
}
const childEnvironment = {
  ...process.env,
  CI: 'true',
  PATH: [path.join(root, 'node_modules', '.bin'), process.env.PATH].join(path.delimiter),
}

const workFolder = mkdtempSync(path.join(tmpdir(), 'image-files-'))
try {
  chmodSync(workFolder, 0o755)
  const tree = path.join(workFolder, 'app')
  makeTree(tree)
  checkContent(tree)
  const run = confinedRunner(tree)
  await checkVersion(run)
  for (const logFormat of ['json', 'text']) await checkServing(run, logFormat)
  await checkTraces(run)
  console.log('The files of the image are in order.')
} catch (error) {
  console.error(`The files of the image are not in order: ${error.message}`)
  process.exitCode = 1
} finally {
  if (existsSync(path.join(workFolder, 'app'))) makeWritable(path.join(workFolder, 'app'))
  rmSync(workFolder, { recursive: true, force: true })
}

function makeTree(tree) {
  const source = path.join(workFolder, 'src')
  mkdirSync(source)
  const archive = execFileSync('git', ['archive', 'HEAD', ...copiedPaths()], {
    cwd: root,
    maxBuffer: 256 * 1024 * 1024,
  })
  execFileSync('tar', ['-x', '-C', source], { input: archive })
  const made = spawnSync(process.execPath, ['scripts/image/image-tree.mjs', tree], {
    cwd: source,
    env: childEnvironment,
    encoding: 'utf8',
  })
  if (made.status !== 0) throw new Error(`they could not be made.\n${made.stdout}${made.stderr}`)
}

/** The files that the Dockerfile copies out of the repository, as tracked by git. */
function copiedPaths() {
  const dockerfile = readFileSync(path.join(root, 'deploy/docker/Dockerfile'), 'utf8')
  return [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources]) => sources.split(' '))
}

function checkContent(tree) {
  const files = filesBelow(tree)
  const bytes = files.reduce((sum, file) => sum + statSync(path.join(tree, file)).size, 0)
  console.log(`${files.length} files, ${(bytes / 1e6).toFixed(1)} MB`)
  const unwanted = files.filter(reasonToLeaveOut)
  const packages = readdirSync(path.join(tree, 'node_modules', '@broker'))
  const developing = developmentDependencies().filter(name =>
    existsSync(path.join(tree, 'node_modules', name)),
  )
  if (unwanted.length > 0) throw new Error(`these are not needed at run time:\n${unwanted.join('\n')}`)
  if (packages.join() !== 'core,redis-store')
    throw new Error(`@broker/core and @broker/redis-store belong into it, found ${packages}`)
  if (developing.length > 0) throw new Error(`these are for development: ${developing.join(', ')}`)
}

function developmentDependencies() {
  const manifests = ['.', 'packages/server', 'packages/core', 'packages/redis-store'].map(folder =>
    JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8')),
  )
  const needed = new Set(
    manifests.flatMap(({ dependencies = {}, optionalDependencies = {} }) =>
      Object.keys({ ...dependencies, ...optionalDependencies }),
    ),
  )
  return manifests
    .flatMap(({ devDependencies = {} }) => Object.keys(devDependencies))
    .filter(name => !needed.has(name))
}

/** Returns how to start the command, confined as far as this machine permits, and says what it does not permit. */
function confinedRunner(tree) {
  const command = [process.execPath, path.join(tree, 'dist', 'command.js')]
  const asUser = ['setpriv', `--reuid=${unprivilegedId}`, `--regid=${unprivilegedId}`, '--clear-groups']
  const onReadOnlyFiles = [
    ...['unshare', '--mount', 'sh', '-c'],
    `mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"`,
    workFolder,
  ]
  const prefixes = []
  if (works([...onReadOnlyFiles, 'true'])) prefixes.push(...onReadOnlyFiles)
  else {
    console.log(
      'skipped: a read-only mount (needs root and unshare); the files lose their write permissions instead',
    )
    execFileSync('chmod', ['-R', 'a-w', tree])
  }
  if (prefixes.length > 0 && works([...prefixes, 'touch', path.join(tree, 'probe')])) {
    throw new Error('the read-only mount can be written')
  }
  if (works([...asUser, process.execPath, '--version'])) prefixes.push(...asUser)
  else
    console.log('skipped: an unprivileged user (needs root, setpriv, and a Node.js that everybody may run)')
  return (args, env = {}) => {
    const [file, ...rest] = [...prefixes, ...command, ...args]
    return spawn(file, rest, { cwd: tree, env: { PATH: process.env.PATH, ...env } })
  }
}

function works([file, ...args]) {
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0
}

async function checkVersion(run) {
  const child = watch(run(['--version']))
  const exitCode = await child.exited
  expect(exitCode === 0 && /^dex-token-broker \d/.test(child.output()), '--version', child)
}

async function checkServing(run, logFormat) {
  const child = watch(run([], { ...serverEnvironment, LOG_FORMAT: logFormat }))
  try {
    const { check, admin } = await addresses(child)
    const refused = await fetch(`http://${check}/check/orders`)
    expect(refused.status === 401, `401 for a check without credentials, not ${refused.status}`, child)
    const ready = await fetch(`http://${admin}/readyz`)
    expect(ready.status === 200, `200 for /readyz, not ${ready.status}`, child)
  } finally {
    child.stop()
  }
  const exitCode = await Promise.race([child.exited, delay(stopTimeoutMs, 'none', { ref: false })])
  child.kill()
  expect(exitCode === 0, `exit code 0 after SIGTERM, not ${exitCode}`, child)
  console.log(
    `LOG_FORMAT=${logFormat}: starts, answers /check with 401 and /readyz with 200, stops with exit code 0`,
  )
}

/** Spans need no installation. */
async function checkTraces(run) {
  const received = []
  const collector = createServer((request, response) => {
    received.push(`${request.method} ${request.url}`)
    request.resume().on('end', () => response.end())
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  const endpoint = `http://127.0.0.1:${collector.address().port}`
  const child = watch(run([], { ...serverEnvironment, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }))
  try {
    const { check } = await addresses(child)
    await fetch(`http://${check}/check/orders`)
  } finally {
    child.stop()
  }
  await Promise.race([child.exited, delay(stopTimeoutMs, 'none', { ref: false })])
  child.kill()
  collector.close()
  collector.closeAllConnections()
  expect(received.join() === 'POST /v1/traces', `spans, not ${received}`, child)
  console.log('OTEL_EXPORTER_OTLP_ENDPOINT: sends spans')
}

function watch(child) {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
  const exited = new Promise(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
  return {
    exited,
    output: () => output,
    stop: () => child.kill('SIGTERM'),
    kill: () => child.kill('SIGKILL'),
  }
}

/** Where the server listens, from its own log, in either format. */
async function addresses(child) {
  const ended = child.exited.then(() => 'ended')
  const giveUpAt = performance.now() + startTimeoutMs
  while (performance.now() < giveUpAt) {
    const [check, admin] = ['check', 'admin'].map(
      name => child.output().match(new RegExp(`${name}"?: ?"?(127\\.0\\.0\\.1:\\d+)`))?.[1],
    )
    if (check && admin) return { check, admin }
    if ((await Promise.race([ended, delay(50)])) === 'ended') break
  }
  return expect(false, 'a start', child)
}

function expect(isTrue, expected, child) {
  if (!isTrue) throw new Error(`expected ${expected}. Its output:\n${child.output()}`)
}

function makeWritable(folder) {
  execFileSync('chmod', ['-R', 'u+w', folder])
}
