import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { createCertificateAuthority, MountedVolume } from '@broker/testing'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { IssuerTransports } from '../../src/issuer-transports.ts'
import { startReloadingBroker } from '../reload/start-reloading-broker.ts'
import { orders, startDex } from '../support/start-broker.ts'

const authority = createCertificateAuthority()

/** A proxy in front of a look-alike of Dex that asks for client certificates; it records them. */
async function startProxiedDex() {
  const dex = await startDex()
  const shown: string[] = []
  const options = { ...authority.issue('127.0.0.1'), ca: authority.cert, requestCert: true }
  const proxy = createServer(options, (incoming, outgoing) => {
    shown.push((incoming.socket as TLSSocket).getPeerX509Certificate()?.toString() ?? '')
    const { method, headers, url } = incoming
    incoming.pipe(
      request(new URL(url ?? '', dex.tokenEndpoint), { method, headers }, answer => {
        outgoing.writeHead(answer.statusCode ?? 0, answer.headers)
        answer.pipe(outgoing)
      }),
    )
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as AddressInfo
  const { pathname } = new URL(dex.tokenEndpoint)
  return {
    tokenEndpoint: `https://127.0.0.1:${port}${pathname}`,
    shown,
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections()
      await new Promise(resolve => proxy.close(resolve))
      await dex.close()
    },
  }
}

const filesOf = ({ cert, key }: { cert: string; key: string }) => ({
  'ca.crt': authority.cert,
  'tls.crt': cert,
  'tls.key': key,
})

test('Dex gets the client certificate, and the new one after a change', async () => {
  await using dex = await startProxiedDex()
  const [first, next] = [authority.issue('broker'), authority.issue('broker')]
  using volume = new MountedVolume(filesOf(first))
  await using broker = await startReloadingBroker(dex, {
    DEX_CA_FILE: volume.file('ca.crt'),
    DEX_CLIENT_CERT_FILE: volume.file('tls.crt'),
    DEX_CLIENT_KEY_FILE: volume.file('tls.key'),
  })
  const check = async (scope: string) => (await broker.check({ ...orders, 'x-scope': scope })).status
  expect(await check('openid')).toBe(200)
  expect(dex.shown).toEqual([first.cert])
  volume.swap(filesOf(next))
  await broker.look()
  expect(await check('openid email')).toBe(200)
  expect(dex.shown).toEqual([first.cert, next.cert])
  volume.swap({ ...filesOf(first), 'tls.key': next.key })
  await broker.look()
  expect(await check('openid groups')).toBe(200)
  expect(dex.shown).toEqual([first.cert, next.cert, next.cert])
  expect(
    await broker.metric('dex_token_broker_tls_certificate_not_after_seconds{listener="dex_client"}'),
  ).toBe(Date.parse('2049-01-01') / 1000)
})

test('without a client certificate the hint names the variables', async () => {
  await using dex = await startProxiedDex()
  using volume = new MountedVolume(filesOf(authority.issue('broker')))
  await using broker = await startReloadingBroker(dex, { DEX_CA_FILE: volume.file('ca.crt') })
  expect((await broker.check(orders)).status).toBe(503)
  const line = broker.log.find(({ code }) => code === 'token_endpoint_unavailable')
  expect(line?.['hint']).toContain('DEX_CLIENT_CERT_FILE')
})

test('the Dexes of clients get the client certificate, and the other issuers of callers do not', async () => {
  await using dex = await startProxiedDex()
  const identity = authority.issue('broker')
  using volume = new MountedVolume(filesOf(identity))
  const config = loadConfig({
    DEX_TOKEN_URL: dex.tokenEndpoint,
    DEX_ISSUER: 'https://dex.example.com',
    DEX_CA_FILE: volume.file('ca.crt'),
    DEX_CLIENT_CERT_FILE: volume.file('tls.crt'),
    DEX_CLIENT_KEY_FILE: volume.file('tls.key'),
  })
  const transports = new IssuerTransports({
    ...config,
    broker: {
      ...config.broker,
      clients: { reports: { clientId: 'reports', clientSecret: 'secret', dex: 'other-dex' } },
      issuers: [
        { name: 'own-dex', issuer: 'https://dex.example.com' },
        { name: 'other-dex', issuer: 'https://other.example.com' },
        { name: 'staff', issuer: 'https://staff.example.com' },
      ],
    },
  })
  const request = { method: 'GET', headers: {}, redirect: 'manual' } as const
  const outcomes: Record<string, string | undefined> = {}
  for (const { name, transport = transports.transport } of transports.issuers ?? []) {
    outcomes[name] = await transport(dex.tokenEndpoint, {
      ...request,
      signal: AbortSignal.timeout(5_000),
    }).then(
      () => dex.shown.at(-1),
      () => 'refused',
    )
  }
  await transports.close()
  expect(outcomes).toEqual({ 'own-dex': identity.cert, 'other-dex': identity.cert, staff: 'refused' })
})
