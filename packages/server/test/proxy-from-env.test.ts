import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createCertificateAuthority, freePort, listening, startForwardProxy, until } from '@broker/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config/load-config.ts'
import { IssuerTransports } from '../src/issuer-transports.ts'
import { doctor } from './doctor/run-in-process.ts'
import { orders, startBroker } from './support/start-broker.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'broker-proxy-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileWith(name: string, content: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, content, { mode: 0o600 })
  return file
}

const token = JSON.stringify({ access_token: 'opaque', token_type: 'bearer', expires_in: 3_600 })

/** A Dex behind TLS, which only the proxy reaches by this name. It waits while `held`. */
async function startDexBehindProxy({ wantsCertificate = false } = {}) {
  const ca = createCertificateAuthority('Dex CA')
  const clientCa = createCertificateAuthority('Client CA')
  const seen: { client: string | undefined; proxyAuthorization: unknown }[] = []
  const held: (() => void)[] = []
  const state = { isHolding: false }
  const server = createServer(
    {
      ...ca.issue('dex.example.com'),
      ...(wantsCertificate && { ca: clientCa.cert, requestCert: true, rejectUnauthorized: true }),
    },
    ({ socket, headers }, outgoing) => {
      const { subject } = (
        socket as unknown as { getPeerCertificate(): { subject?: { CN?: string } } }
      ).getPeerCertificate()
      seen.push({ client: subject?.CN, proxyAuthorization: headers['proxy-authorization'] })
      const answer = () => outgoing.setHeader('content-type', 'application/json').end(token)
      if (state.isHolding) held.push(answer)
      else answer()
    },
  )
  const open = await listening(server as unknown as Parameters<typeof listening>[0])
  return {
    ...open,
    ca,
    clientCa,
    seen,
    state,
    held,
    url: `https://dex.example.com:${open.port}/token`,
    authority: `dex.example.com:${open.port}`,
    environment: {
      DEX_TOKEN_URL: `https://dex.example.com:${open.port}/token`,
      DEX_CA_FILE: fileWith(`ca-${open.port}.crt`, ca.cert),
      USE_PROXY_FROM_ENV: 'true',
      HTTP_TIMEOUT: '2s',
    },
  }
}

const other = (number: number) => ({ 'x-client-id': `client-${number}`, 'x-client-secret': 'secret' })

describe('a broker with USE_PROXY_FROM_ENV', () => {
  test('requests tokens through CONNECT, resolves no name itself, and trusts DEX_CA_FILE', async () => {
    await using proxy = await startForwardProxy()
    await using dex = await startDexBehindProxy()
    await using broker = await startBroker({ ...dex.environment, HTTPS_PROXY: proxy.url })
    expect((await broker.check({ headers: orders })).status).toBe(200)
    expect(proxy.asked).toEqual([dex.authority])
    expect(dex.seen).toHaveLength(1)
  })

  test('without it, connects directly, and says at start that the variable is not used', async () => {
    await using proxy = await startForwardProxy()
    await using dex = await startDexBehindProxy()
    await using broker = await startBroker({
      ...dex.environment,
      HTTPS_PROXY: proxy.url,
      USE_PROXY_FROM_ENV: 'false',
    })
    expect((await broker.check({ headers: orders })).status).toBe(503)
    expect(proxy.asked).toEqual([])
    expect(broker.log.filter(({ msg }) => msg.startsWith('HTTPS_PROXY is set and not used'))).toMatchObject([
      { level: 30, msg: expect.stringContaining('USE_PROXY_FROM_ENV=true') },
    ])
  })

  test('shows its client certificate to Dex, through the tunnel', async () => {
    await using proxy = await startForwardProxy()
    await using dex = await startDexBehindProxy({ wantsCertificate: true })
    const { cert, key } = dex.clientCa.issue('broker.example.com')
    await using broker = await startBroker({
      ...dex.environment,
      HTTPS_PROXY: proxy.url,
      DEX_CLIENT_CERT_FILE: fileWith('client.crt', cert),
      DEX_CLIENT_KEY_FILE: fileWith('client.key', key),
    })
    expect((await broker.check({ headers: orders })).status).toBe(200)
    expect(dex.seen).toMatchObject([{ client: 'broker.example.com' }])
    expect(proxy.asked).toEqual([dex.authority])
  })

  test('sends its credentials to the proxy alone, and logs none of them', async () => {
    await using proxy = await startForwardProxy({ credentials: 'broker:s3cret+word' })
    await using dex = await startDexBehindProxy()
    const withCredentials = `http://broker:s3cret%2Bword@127.0.0.1:${proxy.port}`
    await using broker = await startBroker({ ...dex.environment, HTTPS_PROXY: withCredentials })
    expect((await broker.check({ headers: orders })).status).toBe(200)
    expect(dex.seen).toMatchObject([{ proxyAuthorization: undefined }])

    const wrong = `http://broker:other-s3cret@127.0.0.1:${proxy.port}`
    await using refused = await startBroker({ ...dex.environment, HTTPS_PROXY: wrong })
    expect((await refused.check({ headers: orders })).status).toBe(503)
    expect(refused.log.find(({ level, cause }) => level >= 40 && cause !== undefined)).toMatchObject({
      cause: 'PROXY_407',
      hint: expect.stringMatching(/forward proxy that requests to DEX_TOKEN_URL take.*HTTPS_PROXY/),
    })
    for (const { log } of [broker, refused]) expect(JSON.stringify(log)).not.toMatch(/s3cret|YnJva2Vy/)
  })

  test('blames the proxy when nothing listens there', async () => {
    await using dex = await startDexBehindProxy()
    const HTTPS_PROXY = `http://127.0.0.1:${await freePort()}`
    await using broker = await startBroker({ ...dex.environment, HTTPS_PROXY })
    expect((await broker.check({ headers: orders })).status).toBe(503)
    expect(broker.log.find(({ cause }) => cause !== undefined)).toMatchObject({
      cause: 'PROXY_ECONNREFUSED',
      hint: expect.stringContaining('forward proxy'),
    })
  })

  test('is served again after a proxy that did not answer', async () => {
    await using proxy = await startForwardProxy()
    await using dex = await startDexBehindProxy()
    await using broker = await startBroker({
      ...dex.environment,
      HTTPS_PROXY: proxy.url,
      HTTP_TIMEOUT: '300ms',
      DEX_MAX_CONNECTIONS: '2',
    })
    proxy.answer('hang')
    const stuck = await Promise.all([1, 2, 3, 4].map(number => broker.check({ headers: other(number) })))
    expect(stuck.map(({ status }) => status)).toEqual([503, 503, 503, 503])
    proxy.answer(undefined)
    await expect
      .poll(async () => (await broker.check({ headers: orders })).status, { timeout: 20_000, interval: 500 })
      .toBe(200)
  })

  test('opens no more tunnels than DEX_MAX_CONNECTIONS and one', async () => {
    await using proxy = await startForwardProxy()
    await using dex = await startDexBehindProxy()
    dex.state.isHolding = true
    await using broker = await startBroker({
      ...dex.environment,
      HTTPS_PROXY: proxy.url,
      HTTP_TIMEOUT: '20s',
      DEX_MAX_CONNECTIONS: '4',
    })
    const checks = Array.from({ length: 12 }, (_, number) => broker.check({ headers: other(number) }))
    await until(() => dex.held.length === 2, 'the requests of unknown clients, which have half of the slots')
    expect(proxy.tunnels).toBeLessThanOrEqual(5)
    dex.state.isHolding = false
    for (const answer of dex.held) answer()
    const statuses = (await Promise.all(checks)).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(proxy.tunnels).toBeLessThanOrEqual(5)
    expect(new Set(proxy.asked)).toEqual(new Set([dex.authority]))
  })

  test('uses a proxy that speaks TLS itself, with a certificate of DEX_CA_FILE', async () => {
    await using dex = await startDexBehindProxy()
    await using proxy = await startForwardProxy({ tls: dex.ca.issue('localhost') })
    const HTTPS_PROXY = `https://localhost:${proxy.port}`
    await using broker = await startBroker({ ...dex.environment, HTTPS_PROXY })
    expect((await broker.check({ headers: orders })).status).toBe(200)
    expect(proxy.asked).toEqual([dex.authority])
  })

  test('sends plain http through HTTP_PROXY, and loopback and NO_PROXY directly', async () => {
    await using proxy = await startForwardProxy()
    await using direct = await startBroker({ USE_PROXY_FROM_ENV: 'true', HTTP_PROXY: proxy.url })
    expect((await direct.check({ headers: orders })).status).toBe(200)
    expect(proxy.asked).toEqual([])

    const { port } = new URL(direct.dex.tokenEndpoint)
    const DEX_TOKEN_URL = `http://dex.example.com:${port}${new URL(direct.dex.tokenEndpoint).pathname}`
    const environment = {
      DEX_TOKEN_URL,
      ALLOW_INSECURE_DEX_URL: 'true',
      USE_PROXY_FROM_ENV: 'true',
      HTTP_PROXY: proxy.url,
    }
    await using proxied = await startBroker(environment)
    expect((await proxied.check({ headers: orders })).status).toBe(200)
    expect(proxy.asked).toEqual([DEX_TOKEN_URL])
    await using exempt = await startBroker({ ...environment, NO_PROXY: '.example.com' })
    expect((await exempt.check({ headers: orders })).status).toBe(503)
    expect(proxy.asked).toEqual([DEX_TOKEN_URL])
  })

  test('goes on through the proxy when DEX_CA_FILE has changed', async () => {
    await using proxy = await startForwardProxy()
    await using dex = await startDexBehindProxy()
    const stranger = createCertificateAuthority('another CA')
    const DEX_CA_FILE = fileWith('changing-ca.crt', stranger.cert)
    const environment = { ...dex.environment, HTTPS_PROXY: proxy.url, DEX_CA_FILE }
    const transports = new IssuerTransports(loadConfig(environment))
    const ask = () =>
      transports.transport(dex.url, {
        method: 'GET',
        headers: {},
        redirect: 'manual',
        signal: AbortSignal.timeout(20_000),
      })
    await expect(ask()).rejects.toThrow(/certificate/)
    fileWith('changing-ca.crt', dex.ca.cert)
    transports.prepare(loadConfig(environment)).commit()
    expect((await ask()).status).toBe(200)
    expect(new Set(proxy.asked)).toEqual(new Set([dex.authority]))
    await transports.close()
  })

  test('does not weaken the guard of plain http', () => {
    const environment = {
      DEX_TOKEN_URL: 'http://dex.example.com/token',
      USE_PROXY_FROM_ENV: 'true',
      HTTP_PROXY: 'http://127.0.0.1:3128',
    }
    expect(() => loadConfig(environment)).toThrow(/DEX_TOKEN_URL.*is not https/)
  })

  test('with a proxy that is not a URL does not start, and does not show it', () => {
    const environment = { USE_PROXY_FROM_ENV: 'true', HTTPS_PROXY: 'socks5://user:s3cret@proxy' }
    expect(() => loadConfig(environment)).toThrow(
      /^HTTPS_PROXY: names a proxy for socks5; only http and https are supported/,
    )
    expect(() => loadConfig({ HTTPS_PROXY: environment.HTTPS_PROXY })).not.toThrow()
  })
})

describe('doctor with USE_PROXY_FROM_ENV', () => {
  test('connects through the proxy, says so, and checks the certificate behind it', async () => {
    await using proxy = await startForwardProxy({ credentials: 'broker:s3cret' })
    await using dex = await startDexBehindProxy()
    const HTTPS_PROXY = `http://broker:s3cret@127.0.0.1:${proxy.port}`
    const { text, result } = await doctor({ ...dex.environment, HTTPS_PROXY })
    expect(result(`connection 127.0.0.1:${proxy.port}`).verdict).toBe('ok')
    expect(result(`proxy for ${dex.authority}`)).toMatchObject({
      verdict: 'ok',
      fact: `127.0.0.1:${proxy.port} of HTTPS_PROXY opened a connection`,
    })
    expect(result(`TLS ${dex.authority}`)).toMatchObject({
      verdict: 'ok',
      fact: expect.stringContaining('issued by "Dex CA"'),
    })
    expect(new Set(proxy.asked)).toEqual(new Set([dex.authority]))
    expect(text).not.toContain('s3cret')
  })

  test('names the proxy that refuses the connection, and does not blame Dex', async () => {
    await using proxy = await startForwardProxy()
    await using dex = await startDexBehindProxy()
    proxy.answer(403)
    const { code, result, verdicts } = await doctor({ ...dex.environment, HTTPS_PROXY: proxy.url })
    expect(result(`proxy for ${dex.authority}`)).toMatchObject({
      verdict: 'failed',
      fact: expect.stringContaining('(PROXY_403)'),
      advice: expect.stringContaining('NO_PROXY'),
    })
    expect(verdicts).toContain('skipped token endpoint')
    expect(code).toBe(1)
  })

  test('names a CA that is not trusted, through the proxy too', async () => {
    await using proxy = await startForwardProxy()
    await using dex = await startDexBehindProxy()
    const { DEX_CA_FILE: _, ...environment } = dex.environment
    const { result } = await doctor({ ...environment, HTTPS_PROXY: proxy.url })
    expect(result(`TLS ${dex.authority}`)).toMatchObject({
      verdict: 'failed',
      advice: 'add the certificate of the CA "Dex CA" to DEX_CA_FILE',
    })
  })
})
