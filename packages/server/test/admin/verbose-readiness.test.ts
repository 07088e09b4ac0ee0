import { ask, freePort, type RawRequest } from '@broker/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLocalOperator } from '../../src/admin/is-local-operator.ts'
import { startBroker } from '../support/start-broker.ts'

/** A broker whose Dex is down. */
async function startUnready() {
  const port = await freePort()
  return startBroker({ DEX_TOKEN_URL: '', DEX_ISSUER: `http://127.0.0.1:${port}/dex`, HTTP_TIMEOUT: '1s' })
}

const asked = (port: number | undefined, request: RawRequest = {}) =>
  ask(port ?? 0, { target: '/readyz?verbose', headers: { host: 'localhost' }, ...request })

test('/readyz?verbose says what is missing and what to do', async () => {
  await using broker = await startUnready()
  const answer = await asked(broker.server.adminAddress?.port)
  expect(answer.status).toBe(503)
  expect(answer.body).toMatch(
    /^not ready: DEX_ISSUER is not discovered yet\n\nDex\n {2}failed {3}connection 127\.0\.0\.1:\d+ {2}refused: nothing listens there \(ECONNREFUSED\)\n {11}-> check that Dex is running, then the host and the port in DEX_ISSUER: the connection was refused\n$/,
  )
})

test('another host, a forwarding proxy and a plain question get the plain answer', async () => {
  await using broker = await startUnready()
  const plain = 'not ready: DEX_ISSUER is not discovered yet\n'
  const port = broker.server.adminAddress?.port
  for (const headers of [
    { host: 'broker.example.com' },
    { host: 'localhost', 'x-forwarded-for': '10.0.0.1' },
    { host: 'localhost', forwarded: 'for=10.0.0.1' },
    { host: 'localhost', 'x-envoy-internal': 'true' },
  ]) {
    expect(await asked(port, { headers })).toMatchObject({ status: 503, body: plain })
  }
  expect(await asked(port, { target: '/readyz' })).toMatchObject({ status: 503, body: plain })
})

test('a ready broker answers as ever', async () => {
  await using broker = await startBroker()
  expect(await asked(broker.server.adminAddress?.port)).toMatchObject({ status: 200, body: 'ready\n' })
})

test('only a loopback peer with a loopback Host is a local operator', () => {
  const request = (remoteAddress: string, host: string) =>
    ({ socket: { remoteAddress }, headers: { host } }) as Parameters<typeof isLocalOperator>[0]
  for (const peer of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    for (const host of ['localhost', 'localhost:8081', '127.0.0.1:8081', '[::1]:8081']) {
      expect(isLocalOperator(request(peer, host))).toBe(true)
    }
  }
  expect(isLocalOperator(request('10.0.0.1', 'localhost'))).toBe(false)
  fc.assert(
    fc.property(
      fc.domain(),
      fc.ipV4().filter(ip => !ip.startsWith('127.')),
      (domain, ip) => {
        expect(isLocalOperator(request('127.0.0.1', domain))).toBe(false)
        expect(isLocalOperator(request('127.0.0.1', ip))).toBe(false)
        expect(isLocalOperator(request(ip, 'localhost'))).toBe(false)
        expect(isLocalOperator(request('127.0.0.1', `localhost.${domain}`))).toBe(false)
      },
    ),
  )
})
