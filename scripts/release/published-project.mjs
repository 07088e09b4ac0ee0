// A fresh project outside the repository that installs the published packages from a registry and runs the command.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { runCommand } from '../workspace/run-command.mjs'

const startTimeoutMs = 30_000

/** Installs `packages` (names with versions) from `registry`, their other dependencies from where npm is set to. */
export async function installProject(folder, { registry, scope, packages }) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  writeFileSync(path.join(folder, '.npmrc'), `${scope}:registry=${registry}\n`)
  // The packages were published a moment ago, and npm may be set to wait for some days.
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--fetch-retries=1', '--min-release-age=0']
  const { exitCode, output } = await runCommand('npm', ['install', ...options, ...packages], { cwd: folder })
  if (exitCode !== 0) throw new Error(`npm cannot install the published packages\n${output}`)
}

/** Sentences about everything that the installed command does wrong. */
export async function commandFaults(folder, { command, version }) {
  const executable = path.join(folder, 'node_modules', '.bin', command)
  const { exitCode, output } = await runCommand(executable, ['--version'], { cwd: folder })
  const faults = []
  if (exitCode !== 0 || !output.split(/\s+/).includes(version))
    faults.push(`${command} --version prints ${JSON.stringify(output)}, not ${version}`)
  return [...faults, ...(await checkFaults(executable, folder))]
}

/** One check, with a token endpoint that stands for Dex. */
async function checkFaults(executable, cwd) {
  await using dex = await startTokenEndpoint()
  await using server = startServer(executable, cwd, dex.url)
  const port = await server.port()
  if (port === undefined) return [`the server did not start\n${server.log()}`]
  const url = `http://127.0.0.1:${port}/check`
  const refused = await fetch(url)
  const passed = await fetch(url, {
    headers: { 'x-client-id': 'portal', 'x-client-secret': 'portal-secret' },
  })
  const faults = []
  if (refused.status !== 401) faults.push(`a check without credentials is answered with ${refused.status}`)
  if (passed.status !== 200 || passed.headers.get('authorization') !== 'Bearer the-token')
    faults.push(
      `a check with credentials is answered with ${passed.status} ${passed.headers.get('authorization')}`,
    )
  if (dex.userAgents.length !== 1) faults.push(`Dex got ${dex.userAgents.length} requests`)
  return faults
}

async function startTokenEndpoint() {
  const userAgents = []
  const server = createServer((request, response) => {
    userAgents.push(request.headers['user-agent'])
    response.setHeader('content-type', 'application/json')
    response.end('{"access_token":"the-token","token_type":"bearer","expires_in":3600}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    userAgents,
    url: `http://127.0.0.1:${server.address().port}/token`,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function startServer(executable, cwd, tokenUrl) {
  const lines = []
  const env = {
    PATH: process.env.PATH,
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: 'off',
    DEX_TOKEN_URL: tokenUrl,
  }
  const child = spawn(executable, [], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  createInterface(child.stderr).on('line', line => lines.push(line))
  const listening = new Promise(resolve => {
    createInterface(child.stdout).on('line', line => {
      lines.push(line)
      const port = line.match(/127\.0\.0\.1:(\d+)/)?.[1]
      if (port && /listening/.test(line)) resolve(port)
    })
    child.once('exit', () => resolve(undefined))
    child.once('error', error => {
      lines.push(`${error}`)
      resolve(undefined)
    })
  })
  return {
    log: () => lines.join('\n'),
    port: () => Promise.race([listening, delay(startTimeoutMs, undefined, { ref: false })]),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}
