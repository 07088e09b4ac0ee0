// Runs the recipe for Next.js in an app outside the workspace, because Next.js takes 350 MB: under `next dev` while its file
// is edited, and with --all also under `next build` and `next start`. Needs a build, npm and its registry.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startSurroundings } from '../../examples/recipes-frameworks/src/surroundings.ts'
import { freePort, ManagedProcess, until } from '../../packages/testing/src/index.ts'
import { runCommand } from '../workspace/run-command.mjs'
import { root } from '../workspace/workspace-packages.cjs'

setTimeout(() => {
  throw new Error('the app of Next.js did not come to its end within 10 minutes')
}, 600_000).unref()

const recipe = await readFile(path.join(root, 'examples/recipes-frameworks/src/nextjs-route.ts'), 'utf8')
const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'next-proof-'))
try {
  const version = await install()
  await proveReloads()
  console.log(`ok  next dev ${version}: edits take effect, and keep the broker and its token`)
  if (process.argv.includes('--all')) {
    await proveProduction()
    console.log(`ok  next start ${version}: builds without variables, and two bundles share the broker`)
  }
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** Makes the app as npm would; resolves with the version of Next.js. */
async function install() {
  const tarball = path.join(folder, 'core.tgz')
  await must('pnpm', ['pack', '--out', tarball], path.join(root, 'packages/core'))
  const dependencies = { '@broker/core': `file:${tarball}`, next: '16', react: '19', 'react-dom': '19' }
  // Next.js installs them itself when they are missing.
  const devDependencies = { '@types/node': '24', '@types/react': '19', typescript: '5' }
  await write(
    'package.json',
    JSON.stringify({ name: 'orders-app', private: true, dependencies, devDependencies }),
  )
  const options = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', '--fetch-retries=1']
  await must('npm', ['install', ...options], folder)
  for (const route of ['orders', 'same-orders']) await write(`app/api/${route}/route.ts`, recipe)
  return JSON.parse(await readFile(path.join(folder, 'node_modules/next/package.json'), 'utf8')).version
}

async function proveReloads() {
  await using surroundings = await startSurroundings()
  const { dex, api, callerIn } = surroundings
  await using app = await startNext('dev', surroundings)
  const statusFor = async (...groups) => (await app.ask('orders', callerIn(...groups))).status

  assert.equal((await app.ask('orders', {})).status, 401)
  assert.equal(await statusFor('staff'), 403)
  const answers = await Promise.all(Array.from({ length: 20 }, () => statusFor('sales')))
  assert.deepEqual(new Set(answers), new Set([200]))
  // Another bundle.
  assert.equal((await app.ask('same-orders', callerIn('sales'))).status, 200)

  // An edit of the code, one of the broker's options, and back.
  const edited = recipe.replace("includes('sales')", "includes('staff')")
  assert.notEqual(edited, recipe)
  await write('app/api/orders/route.ts', edited)
  await until(async () => (await statusFor('staff')) === 200, 'the edited code', 60_000)
  await write('app/api/orders/route.ts', edited.replace("audience: 'reports'", "audience: 'others'"))
  await until(async () => (await statusFor('staff')) === 401, 'the edited options', 60_000)
  await write('app/api/orders/route.ts', recipe)
  await until(async () => (await statusFor('sales')) === 200, 'the first text again', 60_000)
  assert.equal(dex.counts.tokenRequests, 1)

  api.answer = () => {}
  const leaving = new AbortController()
  const abandoned = app.ask('orders', callerIn('sales'), leaving.signal).catch(() => 'left')
  await until(() => api.underWay === 1, 'the call to the API', 60_000)
  leaving.abort()
  assert.equal(await abandoned, 'left')
  await until(() => api.underWay === 0, 'the end of the call to the API', 60_000)
  assert.equal((await app.ask('orders', {})).status, 401)
  assert.doesNotMatch(app.process.log, /AbortError/)
}

async function proveProduction() {
  await must(process.execPath, [nextCommand(), 'build'], folder)
  await using surroundings = await startSurroundings()
  const { dex, callerIn } = surroundings
  {
    await using app = await startNext('start', surroundings)
    for (const route of ['orders', 'same-orders']) {
      assert.equal((await app.ask(route, callerIn('sales'))).status, 200)
    }
    assert.equal(dex.counts.tokenRequests, 1)
    app.process.signal('SIGTERM')
    await app.process.ended()
  }
  dex.setFault('token', { kind: 'reset' })
  await using app = await startNext('start', surroundings)
  const unavailable = await app.ask('orders', callerIn('sales'))
  assert.equal(unavailable.status, 503)
  assert.ok(Number(unavailable.headers.get('retry-after')) >= 1)
}

async function startNext(mode, { env }) {
  const port = await freePort()
  const args = [nextCommand(), mode, folder, '--hostname', '127.0.0.1', '--port', String(port)]
  const { PATH, HOME } = process.env
  const started = new ManagedProcess(`next ${mode}`, process.execPath, args, {
    env: { ...env, PATH, HOME, NEXT_TELEMETRY_DISABLED: '1' },
    // Killed, it would leave its own child behind.
    patienceMs: 60_000,
  })
  const url = `http://127.0.0.1:${port}/api`
  const isAnswering = async () => {
    if (started.hasEnded) throw new Error(`next ${mode} ended:\n${started.log}`)
    return fetch(url).then(
      () => true,
      () => false,
    )
  }
  await until(isAnswering, `an answer of next ${mode}`, 120_000)
  return {
    process: started,
    ask: (route, headers, signal) => fetch(`${url}/${route}`, { headers, signal }),
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  }
}

function nextCommand() {
  return path.join(folder, 'node_modules/next/dist/bin/next')
}

async function write(file, text) {
  await mkdir(path.dirname(path.join(folder, file)), { recursive: true })
  await writeFile(path.join(folder, file), text)
}

async function must(command, args, cwd) {
  const { exitCode, output } = await runCommand(command, args, {
    cwd,
    env: { NEXT_TELEMETRY_DISABLED: '1' },
    timeoutMs: 300_000,
  })
  if (exitCode !== 0) throw new Error(`${command} ${args[0]} failed\n${output}`)
}
