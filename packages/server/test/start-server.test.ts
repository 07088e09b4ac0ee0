import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startDevDex } from '@broker/dev-dex'
import { ask, until } from '@broker/testing'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../src/config/config-error.ts'
import { loadConfig } from '../src/config/load-config.ts'
import type { RunningServer } from '../src/running-server.ts'
import { startServer } from '../src/start-server.ts'
import {
  bearerOf,
  errorOf,
  type LogLine,
  orders,
  startBroker,
  startDex,
  warnLevel,
} from './support/start-broker.ts'

const silent = pino({ level: 'silent' })
const certificateFile = fileURLToPath(new URL('fixtures/dex-tls.crt', import.meta.url))
const tls = {
  cert: readFileSync(certificateFile),
  key: readFileSync(new URL('fixtures/dex-tls.key', import.meta.url)),
}
const gate = { STATIC_CLIENT_ID: 'orders', STATIC_CLIENT_SECRET: 'orders-secret' }

/** The status of the probe at one address. */
function statusOf(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => {
      socket.write(`GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    })
    socket.once('error', reject)
    socket.once('data', data => resolve(Number(String(data).split(' ')[1])))
  })
}

async function occupiedPort(host = '127.0.0.1', wanted = 0) {
  const server: Server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(wanted, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>(resolve => server.close(() => resolve())),
  }
}

/** Takes the port from nobody: whoever keeps it is as good an occupant as we. */
async function occupyDefaultAdminPort(): Promise<AsyncDisposable> {
  let occupant: AsyncDisposable | undefined
  const take = async () => {
    occupant = await occupiedPort('::', 8081).catch(() => undefined)
    return occupant !== undefined
  }
  await until(take, 'the port', 3_000).catch(() => {})
  return { [Symbol.asyncDispose]: async () => occupant?.[Symbol.asyncDispose]() }
}

async function failureOf(start: Promise<RunningServer>): Promise<ConfigError> {
  const outcome = await start.then(
    async server => {
      await server.close()
      return undefined
    },
    error => error,
  )
  if (!(outcome instanceof ConfigError)) throw new Error('expected a ConfigError', { cause: outcome })
  return outcome
}

describe('the listeners', () => {
  test('a busy LISTEN_ADDR is a configuration error that names it', async () => {
    await using busy = await occupiedPort()
    const config = loadConfig({ LISTEN_ADDR: `127.0.0.1:${busy.port}`, ADMIN_ADDR: 'off' })
    const error = await failureOf(startServer(config, silent))
    expect(error.message).toContain(`LISTEN_ADDR: 127.0.0.1:${busy.port} is already in use`)
  })

  test('a LISTEN_ADDR that is not an address of this machine is a configuration error', async () => {
    const config = loadConfig({ LISTEN_ADDR: '192.0.2.1:0', ADMIN_ADDR: 'off' })
    expect((await failureOf(startServer(config, silent))).message).toContain(
      'LISTEN_ADDR: 192.0.2.1:0 is not an address',
    )
  })

  test('a busy ADMIN_ADDR that was asked for is a configuration error, and the check port is free again', async () => {
    await using busy = await occupiedPort()
    await using free = await occupiedPort()
    const { port } = free
    await free[Symbol.asyncDispose]()
    const config = loadConfig({ LISTEN_ADDR: `127.0.0.1:${port}`, ADMIN_ADDR: `127.0.0.1:${busy.port}` })
    const error = await failureOf(startServer(config, silent))
    expect(error.message).toContain(`ADMIN_ADDR: 127.0.0.1:${busy.port} is already in use`)
    await using again = await occupiedPort('127.0.0.1', port)
    expect(again.port).toBe(port)
  })

  test('a busy default port of the admin listener is a warning, and checks are answered', async () => {
    await using _busy = await occupyDefaultAdminPort()
    await using broker = await startBroker({ ADMIN_ADDR: '' })
    expect(broker.server.adminAddress).toBeUndefined()
    bearerOf(await broker.check({ headers: orders }))
    expect(broker.log.filter(({ level }) => level === warnLevel)).toMatchObject([
      {
        msg: 'admin listener off: :8081 is already in use',
        hint: 'set ADMIN_ADDR to another address, or to off',
      },
    ])
  })

  test('port 0 takes a free port, and the log tells which', async () => {
    await using broker = await startBroker()
    const { checkAddress, adminAddress } = broker.server
    expect(checkAddress.port).toBeGreaterThan(0)
    expect(adminAddress?.port).toBeGreaterThan(0)
    expect(adminAddress?.port).not.toBe(checkAddress.port)
    expect(broker.log.find(({ msg }) => msg === 'listening')).toMatchObject({
      check: `127.0.0.1:${checkAddress.port}`,
      admin: `127.0.0.1:${adminAddress?.port}`,
    })
  })

  test('the admin listener can be turned off', async () => {
    await using broker = await startBroker({ ADMIN_ADDR: 'off' })
    expect(broker.server.adminAddress).toBeUndefined()
    bearerOf(await broker.check({ headers: orders }))
  })

  test('the admin pages are not on the check port, and no check is on the admin port', async () => {
    await using broker = await startBroker()
    for (const target of ['/metrics', '/readyz']) {
      expect((await broker.check({ target, headers: orders })).status).toBe(404)
    }
    const adminPort = broker.server.adminAddress?.port ?? 0
    for (const target of ['/check', '/check/x', '/', '/healthz/x']) {
      const answer = await ask(adminPort, { target, headers: orders })
      expect(answer.status).toBe(404)
      expect(answer.header('authorization')).toBeUndefined()
    }
  })

  test('a host name is every address that it resolves to, on one port, and all of them stop', async () => {
    await using dex = await startDex()
    const resolved = await lookup('localhost', { all: true })
    const hosts = [...new Set(resolved.map(({ address }) => address))]
    const config = loadConfig({
      LISTEN_ADDR: 'localhost:0',
      ADMIN_ADDR: 'localhost:0',
      DEX_TOKEN_URL: dex.tokenEndpoint,
      SHUTDOWN_TIMEOUT: '400ms',
    })
    const server = await startServer(config, silent)
    const { port } = server.checkAddress
    try {
      const statuses = await Promise.all(hosts.map(host => statusOf(host, port)))
      expect(statuses).toEqual(hosts.map(() => 200))
      expect(hosts).toContain('127.0.0.1')
    } finally {
      await server.close()
    }
    for (const host of hosts) await expect(statusOf(host, port)).rejects.toThrow()
  })

  test('a host name with one busy address does not start, and leaves none open', async () => {
    await using busy = await occupiedPort('127.0.0.1')
    const config = loadConfig({ LISTEN_ADDR: `localhost:${busy.port}`, ADMIN_ADDR: 'off' })
    await expect(startServer(config, silent)).rejects.toThrow(/LISTEN_ADDR: localhost:\d+ is already in use/)
    await expect(statusOf('::1', busy.port)).rejects.toThrow()
  })

  test('without a host it listens on IPv4 and IPv6', async () => {
    await using dex = await startDex()
    const config = loadConfig({ LISTEN_ADDR: ':0', ADMIN_ADDR: 'off', DEX_TOKEN_URL: dex.tokenEndpoint })
    await using server = await startServer(config, silent)
    bearerOf(await ask(server.checkAddress.port, { headers: orders }))
  })
})

describe('the start', () => {
  test('without the admin listener, asks nobody for anything', async () => {
    await using broker = await startBroker(dex => ({ ...gate, JWKS_URL: dex.jwksUri, ADMIN_ADDR: 'off' }))
    await broker.check()
    expect(broker.dex.counts).toMatchObject({ tokenRequests: 0, keysRequests: 0, discoveryRequests: 0 })
  })

  test('begins to load what readiness needs, and no probe has to ask for it', async () => {
    await using broker = await startBroker(dex => ({
      STATIC_CLIENT_ID: 'orders',
      JWT_AUDIENCE: 'orders',
      DEX_TOKEN_URL: '',
      DEX_ISSUER: dex.issuer,
    }))
    await until(() => broker.dex.counts.keysRequests === 1, 'discovery and the key set')
    await until(async () => (await broker.admin('/readyz')).status === 200, 'readiness')
  })

  test('works while Dex is down: 503 until it is up, and then a token', async () => {
    const gone = await startDex()
    await gone.close()
    await using broker = await startBroker({ DEX_TOKEN_URL: gone.tokenEndpoint })
    const refused = await broker.check({ headers: orders })
    expect([refused.status, errorOf(refused)]).toEqual([503, 'token_endpoint_unavailable'])
    expect(broker.log).toContainEqual(
      expect.objectContaining({ hint: expect.stringContaining('DEX_TOKEN_URL'), cause: 'ECONNREFUSED' }),
    )
    await using _back = await startDex({ port: gone.port })
    await until(async () => (await broker.check({ headers: orders })).status === 200, 'a token', 10_000)
  })

  test('warns about static credentials without a gate, and a gate without an audience', async () => {
    const warningsOf = (log: readonly LogLine[]) =>
      log.filter(({ level }) => level === warnLevel).map(({ msg }) => msg)
    await using open = await startBroker(gate)
    expect(warningsOf(open.log)).toEqual([
      expect.stringMatching(/without a JWT gate/),
      expect.stringMatching(/without STATIC_SCOPE/),
    ])
    await using anyone = await startBroker(dex => ({
      ...gate,
      STATIC_SCOPE: 'openid',
      JWKS_URL: dex.jwksUri,
    }))
    expect(warningsOf(anyone.log)).toEqual([expect.stringMatching(/without JWT_AUDIENCE/)])
  })
})

describe('the admin pages', () => {
  test('/readyz is ready from the start without a gate', async () => {
    await using broker = await startBroker()
    const page = await broker.admin('/readyz')
    expect([page.status, page.body]).toEqual([200, 'ready\n'])
    expect((await broker.admin('/healthz')).status).toBe(200)
  })

  test('/readyz with a gate is 503 until the keys are there, and asking loads them', async () => {
    await using broker = await startBroker(dex => ({ ...gate, JWKS_URL: dex.jwksUri }))
    const page = await broker.admin('/readyz')
    expect([page.status, page.body]).toEqual([503, 'not ready: no key set loaded yet\n'])
    expect((await broker.admin('/healthz')).status).toBe(200)
    await until(async () => (await broker.admin('/readyz')).status === 200, 'readiness')
    expect(broker.dex.counts.keysRequests).toBe(1)
  })

  test('/readyz stays 503 while the keys cannot be loaded, and recovers within seconds', async () => {
    await using broker = await startBroker(dex => ({ ...gate, JWKS_URL: dex.jwksUri }))
    broker.dex.setFault('keys', { kind: 'html', status: 503 })
    await broker.admin('/readyz')
    await until(() => broker.dex.counts.keysRequests === 1, 'the first try')
    for (let count = 0; count < 10; count++) expect((await broker.admin('/readyz')).status).toBe(503)
    expect(broker.dex.counts.keysRequests).toBe(1)
    broker.dex.clearFaults()
    await until(async () => (await broker.admin('/readyz')).status === 200, 'readiness', 5_000)
  })

  test('/metrics counts checks by outcome, token requests, the cache and key sets', async () => {
    await using broker = await startBroker(dex => ({
      STATIC_CLIENT_ID: 'orders',
      JWKS_URL: dex.jwksUri,
      JWT_HEADER: 'x-jwt',
    }))
    const jwt = broker.dex.signJwt({ exp: Math.floor(Date.now() / 1000) + 60 })
    const good = { 'x-jwt': jwt, 'x-client-secret': 'orders-secret' }
    for (let count = 0; count < 3; count++) bearerOf(await broker.check({ headers: good }))
    await broker.check({ headers: { ...good, 'x-client-secret': 'wrong' } })
    await broker.check({ headers: { ...good, 'x-client-secret': 'wrong' } })
    await broker.check({ headers: { ...good, 'x-jwt': 'bad' } })
    await broker.check({ target: '/healthz' })
    const page = await broker.admin('/metrics')
    expect(page.status).toBe(200)
    expect(page.header('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const value = (series: string) => {
      const line = page.body.split('\n').find(text => text.startsWith(`dex_token_broker_${series} `))
      return line === undefined ? undefined : Number(line.split(' ').at(-1))
    }
    expect(value('checks_total{outcome="allow",protocol="http"}')).toBe(3)
    expect(value('checks_total{outcome="token_request_rejected",protocol="http"}')).toBe(2)
    expect(value('checks_total{outcome="invalid_token",protocol="http"}')).toBe(1)
    expect(value('token_request_duration_seconds_count{outcome="issued"}')).toBe(1)
    expect(value('token_request_duration_seconds_count{outcome="token_request_rejected"}')).toBe(1)
    expect(value('token_request_duration_seconds_bucket{le="10",outcome="issued"}')).toBe(1)
    expect(value('token_request_duration_seconds_sum{outcome="issued"}')).toBeLessThan(10)
    expect(value('cache_entries')).toBe(1)
    expect(value('cache_hits_total')).toBe(2)
    expect(value('cache_misses_total')).toBe(3)
    expect(value('cache_stale_total')).toBe(0)
    expect(value('cache_evictions_total')).toBe(0)
    expect(value('jwks_refreshes_total{outcome="refreshed"}')).toBe(1)
    expect(page.body).toContain('process_cpu_seconds_total')
  })

  test('/metrics of two servers in one process are apart, and repeated reading changes nothing', async () => {
    await using one = await startBroker()
    await using other = await startBroker()
    await one.check({ headers: orders })
    await one.check({ headers: orders })
    await one.admin('/metrics')
    expect((await one.admin('/metrics')).body).toContain('dex_token_broker_cache_hits_total 1\n')
    expect((await other.admin('/metrics')).body).toContain(
      'checks_total{outcome="allow",protocol="http"} 0\n',
    )
  })

  test('/metrics counts evictions of a full cache', async () => {
    await using broker = await startBroker({ CACHE_MAX_ENTRIES: '2' })
    for (const scope of ['openid', 'email', 'profile']) {
      bearerOf(await broker.check({ headers: { ...orders, 'x-scope': scope } }))
    }
    const { body } = await broker.admin('/metrics')
    expect(body).toContain('dex_token_broker_cache_entries 2\n')
    expect(body).toContain('dex_token_broker_cache_evictions_total 1\n')
  })
})

describe('a Dex behind a private certificate authority', () => {
  test.each(['127.0.0.1', 'localhost'])('is trusted by DEX_CA_FILE, as %s', async hostname => {
    const endpoint = (url: string) => url.replace('127.0.0.1', hostname)
    await using dex = await startDevDex({ clients: [{ id: 'orders', secret: 'orders-secret' }], tls })
    await using broker = await startBroker({
      ...gate,
      DEX_TOKEN_URL: endpoint(dex.tokenEndpoint),
      JWKS_URL: endpoint(dex.jwksUri),
      DEX_CA_FILE: certificateFile,
    })
    expect(dex.tokenEndpoint).toMatch(/^https:/)
    const jwt = dex.signJwt({ exp: Math.floor(Date.now() / 1000) + 60 })
    bearerOf(await broker.check({ headers: { authorization: jwt } }))
    expect(dex.counts).toMatchObject({ tokensIssued: 1, keysRequests: 1 })
  })

  test('is not trusted without it: 503, and the log names DEX_CA_FILE', async () => {
    await using dex = await startDevDex({ clients: [{ id: 'orders', secret: 'orders-secret' }], tls })
    await using broker = await startBroker({ DEX_TOKEN_URL: dex.tokenEndpoint })
    const refused = await broker.check({ headers: orders })
    expect([refused.status, errorOf(refused)]).toEqual([503, 'token_endpoint_unavailable'])
    expect(refused.body).not.toContain('DEX_CA_FILE')
    expect(broker.log).toContainEqual(
      expect.objectContaining({
        hint: expect.stringContaining('DEX_CA_FILE'),
        cause: expect.stringMatching(/SELF_SIGNED|VERIFY/),
      }),
    )
    expect(dex.counts.tokenRequests).toBe(0)
  })

  test('is not trusted under a name that its certificate does not have', async () => {
    await using dex = await startDevDex({ clients: [{ id: 'orders', secret: 'orders-secret' }], tls })
    await using broker = await startBroker({
      DEX_TOKEN_URL: dex.tokenEndpoint.replace('127.0.0.1', '127.0.0.2'),
      DEX_CA_FILE: certificateFile,
    })
    expect((await broker.check({ headers: orders })).status).toBe(503)
  })

  test('a DEX_CA_FILE that is not there stops the start', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'broker-'))
    try {
      expect(() => loadConfig({ DEX_CA_FILE: join(directory, 'ca.crt') })).toThrow(
        /DEX_CA_FILE.*does not exist/,
      )
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
