import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startDevDex } from '@broker/dev-dex'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { parse } from 'yaml'
// @ts-expect-error: a script without declarations; its JSDoc has the types.
import { findEnvoy } from '../../../scripts/find-envoy.mjs'

const readyTimeoutMs = 20_000
const envoyFile = new URL('../../../deploy/envoy/envoy.yaml', import.meta.url)

const envoyBinary = await findEnvoy()
if (envoyBinary.path === undefined) {
  console.log(`skipped: ${envoyBinary.reason}`)
  // One that was named and does not run is a mistake.
  process.exit(process.env['ENVOY_BIN'] ? 1 : 0)
}

await using dex = await startDevDex({
  clients: [
    { id: 'reports', secret: 'reports-secret' },
    { id: 'orders', secret: 'orders-secret', trustedPeers: ['reports'] },
  ],
})

// An API that accepts Dex's tokens for the client `reports`.
const keys = createRemoteJWKSet(new URL(dex.jwksUri))
const received: IncomingHttpHeaders[] = []
const api = createServer(async (request, response) => {
  received.push(request.headers)
  const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
  const accepted = await jwtVerify(token, keys, { issuer: dex.issuer, audience: 'reports' }).catch(
    () => undefined,
  )
  response.writeHead(accepted ? 200 : 401).end(accepted ? 'three orders' : 'no')
})
await once(api.listen(0, '127.0.0.1'), 'listening')

const folder = await mkdtemp(path.join(tmpdir(), 'dex-token-broker-example-'))
const processes: ChildProcess[] = []
try {
  // #region set-up
  const broker = start(process.execPath, [brokerCommand()], {
    DEX_TOKEN_URL: dex.tokenEndpoint, // https://dex.example.com/dex/token
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: '127.0.0.1:0',
    UPSTREAM_TOKEN_HEADERS: 'access_token:x-access-token',
  })
  // #endregion set-up
  const { check, admin } = await listeningLine(broker)
  const envoyUrl = await startEnvoy(envoyBinary.path, { check: portOf(check), admin: portOf(admin) })

  const refused = await fetch(`${envoyUrl}/orders`)
  assert.equal(refused.status, 401)
  assert.match(await refused.text(), /missing_credentials/)
  assert.equal(received.length, 0)

  for (let calls = 0; calls < 3; calls++) {
    const orders = await fetch(`${envoyUrl}/orders`, {
      headers: { 'x-client-id': 'reports', 'x-client-secret': 'reports-secret', 'x-access-token': 'forged' },
    })
    assert.equal(await orders.text(), 'three orders')
  }
  for (const headers of received) {
    assert.equal(headers['x-client-secret'], undefined)
    assert.notEqual(headers['x-access-token'], 'forged')
  }
  assert.equal(dex.counts.tokenRequests, 1)
  console.log('Envoy let 3 requests pass with 1 token request; no secret and nothing forged reached the API')
} finally {
  for (const child of processes) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGTERM')
    await once(child, 'close')
  }
  await rm(folder, { recursive: true, force: true })
  api.close()
  api.closeAllConnections()
}

/** Starts a process that ends with this one; its log is shown only when it is asked for. */
function start(command: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  processes.push(child)
  process.once('exit', () => child.kill('SIGKILL'))
  return child
}

/** The script behind the command `dex-token-broker`. */
function brokerCommand(): string {
  const manifestFile = createRequire(import.meta.url).resolve('@broker/server/package.json')
  const manifest: { bin: { 'dex-token-broker': string } } = JSON.parse(readFileSync(manifestFile, 'utf8'))
  return path.join(path.dirname(manifestFile), manifest.bin['dex-token-broker'])
}

/** Where the broker listens, which it logs. */
async function listeningLine({ stdout }: ChildProcess): Promise<{ check: string; admin: string }> {
  let log = ''
  for await (const chunk of stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    log += String(chunk)
    const line = log.split('\n').find(text => text.includes('"msg":"listening"') && text.endsWith('}'))
    if (line === undefined) continue
    stdout?.resume()
    return JSON.parse(line)
  }
  throw new Error(`the broker did not start:\n${log}`)
}

/** Starts Envoy with the configuration that is shipped; only addresses differ. */
async function startEnvoy(binary: string, broker: { check: number; admin: number }): Promise<string> {
  // biome-ignore lint/suspicious/noExplicitAny: Envoy itself checks its configuration
  const config: any = parse(readFileSync(envoyFile, 'utf8'))
  const { listeners, clusters } = config.static_resources
  config.admin.address.socket_address.port_value = 0
  listeners[0].address.socket_address = { address: '127.0.0.1', port_value: 0 }
  for (const { name, load_assignment: assignment } of clusters) {
    const { endpoint } = assignment.endpoints[0].lb_endpoints[0]
    const { port } = api.address() as AddressInfo
    endpoint.address.socket_address.port_value = name === 'backend' ? port : broker.check
    if (name !== 'backend') endpoint.health_check_config.port_value = broker.admin
  }
  const configFile = path.join(folder, 'envoy.json')
  const adminFile = path.join(folder, 'admin-address')
  await writeFile(configFile, JSON.stringify(config))
  const options = ['--disable-hot-restart', '--concurrency', '1', '--log-level', 'error']
  const envoy = start(binary, ['-c', configFile, '--admin-address-path', adminFile, ...options])
  const end = performance.now() + readyTimeoutMs
  while (performance.now() < end && envoy.exitCode === null) {
    if (existsSync(adminFile)) {
      const admin = `http://${await readFile(adminFile, 'utf8')}`
      const { ok } = await fetch(`${admin}/ready`).catch(() => ({ ok: false }))
      if (ok) {
        const answer = await fetch(`${admin}/listeners?format=json`)
        const { listener_statuses: statuses } = (await answer.json()) as ListenersAnswer
        return `http://127.0.0.1:${statuses[0].local_address.socket_address.port_value}`
      }
    }
    await pause(50)
  }
  throw new Error('Envoy did not start')
}

/** What Envoy's admin listener says about the one listener. */
interface ListenersAnswer {
  readonly listener_statuses: [{ local_address: { socket_address: { port_value: number } } }]
}

function portOf(address: string): number {
  return Number(new URL(`http://${address}`).port)
}
