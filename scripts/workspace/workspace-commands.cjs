// `npm start` and `npm test` on a machine that has only Node >= 20 and npm: they install the workspace
// with the pinned pnpm, build it with turbo, and run it on the pinned Node. Nothing from node_modules may be imported
// here, because on the first run there is none.
const { spawn } = require('node:child_process')
const { createHash } = require('node:crypto')
const { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { availableParallelism, constants } = require('node:os')
const path = require('node:path')
const { root, readWorkspaceFile, workspacePackages } = require('./workspace-packages.cjs')

const isWindows = process.platform === 'win32'
const pinnedNode = path.join(root, 'node_modules', 'node', 'bin', isWindows ? 'node.exe' : 'node')
const turbo = path.join(root, 'node_modules', 'turbo', 'bin', 'turbo')
const installStamp = path.join(root, 'node_modules', '.bootstrap-stamp')
const quickstart = path.join(root, 'examples', 'quickstart', 'src', 'quickstart.ts')
const testCounts = path.join(root, 'scripts', 'check', 'test-counts.mjs')
const envoyFinder = path.join(root, 'scripts', 'workspace', 'find-envoy.mjs')

const OUTPUT_TAIL_LINES = 30
const PARENT_CHECK_INTERVAL_MS = 500

const commands = {
  async start(args) {
    await installDependencies()
    await buildPackages()
    const { code, signal } = await runOnPinnedNode([quickstart, ...args])
    return signal ? exitCodeOfSignal(signal) : code
  },

  // Arguments go to turbo (`npm test -- --filter=@broker/core`), those behind a second `--` to vitest. With arguments
  // nothing is fetched and nothing is counted: only some of the tests may have to run.
  async test(args) {
    await installDependencies()
    removeTestReports()
    // Into .tools, where the tests look. Without it they are skipped, and the last lines say so.
    if (args.length === 0) {
      const finder = await runOnPinnedNode([envoyFinder, '--fetch'], { stdout: 'ignore' })
      if (finder.interruptedBy) return exitCodeOfSignal(finder.interruptedBy)
    }
    const child = await runOnPinnedNode([
      ...[turbo, 'run', 'test', 'test:faults', '--continue=dependencies-successful', '--log-order=grouped'],
      // More suites at once than processors would only make each of them slower, and their timing worse.
      `--concurrency=${Math.max(2, availableParallelism())}`,
      ...args,
    ])
    if (child.interruptedBy) return exitCodeOfSignal(child.interruptedBy)
    if (args.length > 0) return child.code
    const counts = await runOnPinnedNode([testCounts])
    return child.code || counts.code
  },
}

function run(name, args) {
  if (!Object.hasOwn(commands, name)) {
    console.error(
      `Usage: node scripts/workspace/bootstrap.cjs ${Object.keys(commands).join('|')} [arguments]`,
    )
    process.exit(1)
  }
  commands[name](args).then(
    exitCode => {
      process.exitCode = exitCode
    },
    error => {
      console.error(error instanceof StepFailed ? error.message : error)
      process.exitCode = error.exitCode ?? 1
    },
  )
}

class StepFailed extends Error {
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

async function installDependencies() {
  const wanted = dependenciesFingerprint()
  const installed = existsSync(installStamp) ? readFileSync(installStamp, 'utf8') : undefined
  if (installed === wanted && existsSync(pinnedNode)) return

  console.log(`Installing dependencies (${installed ? 'they have changed' : 'first run only'}) ...`)
  const args = [
    // npm's own pauses between attempts add up to more than a minute of silence when there is no network.
    ...['--yes', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'],
    ...[`pnpm@${pinnedPnpmVersion()}`, 'install', '--frozen-lockfile'],
    // A node_modules that another package manager left behind is replaced: nobody can answer a question here.
    '--config.confirm-modules-purge=false',
  ]
  const child = await runChild('npx', args, { shell: isWindows, captured: true })
  failUnlessSucceeded(
    child,
    'The dependencies could not be installed. Can this machine reach its package registry? The end of the output:',
  )
  mkdirSync(path.dirname(installStamp), { recursive: true })
  writeFileSync(installStamp, wanted)
}

/** Builds every package, so that the examples run afterwards too. */
async function buildPackages() {
  const child = await runOnPinnedNode([turbo, 'run', 'build', '--log-prefix=none'], { captured: true })
  failUnlessSucceeded(child, 'The build failed. The end of the output:')
}

// A report that an earlier run left would be counted as if its tests had run now.
function removeTestReports() {
  for (const { folder } of workspacePackages()) {
    rmSync(path.join(root, folder, '.reports'), { recursive: true, force: true })
  }
}

function dependenciesFingerprint() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  const manifests = workspacePackages().map(({ folder }) => `${folder}/package.json`)
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...manifests]) {
    hash.update(`${file}\n`).update(readFileSync(path.join(root, file)))
  }
  return hash.digest('hex')
}

function pinnedPnpmVersion() {
  const version = readWorkspaceFile().match(/^ +pnpm: +['"]?(\d[^'"\s]*)/m)?.[1]
  if (!version) throw new StepFailed('pnpm-workspace.yaml names no version of pnpm in its catalog.')
  return version
}

function runOnPinnedNode(args, options) {
  return runChild(pinnedNode, args, { shell: false, ...options })
}

/** Resolves when the child has ended; signals that reach this process meanwhile are passed on to it. */
function runChild(command, args, { shell, captured = false, stdout = 'inherit' }) {
  return new Promise((resolve, reject) => {
    const output = []
    const child = spawn(command, args, {
      cwd: root,
      env: childEnvironment(),
      shell,
      stdio: captured ? ['ignore', 'pipe', 'pipe'] : ['inherit', stdout, 'inherit'],
      windowsHide: true,
    })
    child.stdout?.on('data', chunk => output.push(chunk))
    child.stderr?.on('data', chunk => output.push(chunk))

    let interruptedBy
    const passOn = signal => {
      interruptedBy = signal
      // Ctrl-C in a terminal reaches the whole process group: passing it on would deliver it twice.
      if (signal === 'SIGINT' && process.stdin.isTTY) return
      // turbo's launcher waits for its native process on SIGINT, which only a terminal would have sent to both.
      child.kill(args[0] === turbo ? 'SIGTERM' : signal)
    }
    process.on('SIGINT', passOn)
    process.on('SIGTERM', passOn)
    const parentCheck = watchParent(() => passOn('SIGTERM'))
    const stopPassingOn = () => {
      process.off('SIGINT', passOn)
      process.off('SIGTERM', passOn)
      clearInterval(parentCheck)
    }

    child.once('error', error => {
      stopPassingOn()
      reject(new StepFailed(`${path.relative(root, command)} could not be run: ${error.message}`))
    })
    child.once('close', (code, signal) => {
      stopPassingOn()
      resolve({ code, signal, interruptedBy, output: Buffer.concat(output).toString('utf8') })
    })
  })
}

// A signal that reaches npm alone ends the shell between npm and us and would leave us running unseen.
function watchParent(onGone) {
  if (isWindows || !process.env.npm_lifecycle_event) return undefined
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    onGone()
  }, PARENT_CHECK_INTERVAL_MS)
  return timer
}

function childEnvironment() {
  const env = {
    ...process.env,
    DO_NOT_TRACK: '1',
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
  }
  // turbo asks its tasks for colours even when its own output goes to a file.
  if (!process.stdout.isTTY && !env.FORCE_COLOR) env.NO_COLOR = '1'
  // Windows spells it `Path`; two spellings side by side would leave it open which one counts.
  const pathVariable = Object.keys(env).find(name => name.toUpperCase() === 'PATH') ?? 'PATH'
  env[pathVariable] = [path.join(root, 'node_modules', '.bin'), env[pathVariable]]
    .filter(Boolean)
    .join(path.delimiter)
  return env
}

function failUnlessSucceeded(child, message) {
  if (child.code === 0) return
  if (child.interruptedBy) throw new StepFailed('Interrupted.', exitCodeOfSignal(child.interruptedBy))
  const tail = child.output.trimEnd().split('\n').slice(-OUTPUT_TAIL_LINES).join('\n')
  throw new StepFailed(`${message}\n\n${tail}`, child.code ?? 1)
}

function exitCodeOfSignal(signal) {
  return 128 + constants.signals[signal]
}

module.exports = { run }
