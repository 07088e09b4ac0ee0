import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TransportRequest } from '@broker/core'
import { createCertificateAuthority, until } from '@broker/testing'
import { expect, test } from 'vitest'
import { DexTransport } from '../../src/dex-transport.ts'
import { IssuerTransports } from '../../src/issuer-transports.ts'

const request = (): TransportRequest => ({
  method: 'GET',
  headers: {},
  redirect: 'manual',
  signal: new AbortController().signal,
})

/** An https server by one authority after the other, which answers when it is told to. */
async function startTlsServer(ca = createCertificateAuthority()) {
  const waiting: ServerResponse[] = []
  const server = createServer(ca.issue('127.0.0.1'), (_, response) => void waiting.push(response))
  await new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  return {
    ca,
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    waiting,
    use(next: typeof ca) {
      server.setSecureContext(next.issue('127.0.0.1'))
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const options = (caCertificates: string) => ({ caCertificates, timeoutMs: 5_000, maxConnections: 0 })

async function bodyOf(answer: ReturnType<DexTransport['transport']>): Promise<string> {
  const { body } = await answer
  if (!(body instanceof Uint8Array)) throw new Error('the body is not whole')
  return Buffer.from(body).toString()
}

test('a request under way is finished by the connection that it began on', async () => {
  await using server = await startTlsServer()
  const next = createCertificateAuthority('Next')
  const dex = new DexTransport(options(server.ca.cert))
  const { transport } = dex
  const before = bodyOf(transport(server.url, request()))
  await until(() => server.waiting.length === 1, 'the first request')
  server.use(next)
  dex.renew(options(next.cert))
  const after = bodyOf(transport(server.url, request()))
  await until(() => server.waiting.length === 2, 'a request that trusts the new certificates')
  server.waiting[1]?.end('new')
  expect(await after).toBe('new')
  server.waiting[0]?.end('old')
  expect(await before).toBe('old')
  expect(dex.transport).toBe(transport)
  await dex.close()
})

test('the same options keep the connections', async () => {
  await using server = await startTlsServer()
  const dex = new DexTransport(options(server.ca.cert))
  const sockets = new Set<unknown>()
  for (let round = 0; round < 3; round++) {
    const answer = bodyOf(dex.transport(server.url, request()))
    await until(() => server.waiting.length === round + 1, 'the request')
    sockets.add(server.waiting[round]?.socket)
    server.waiting[round]?.end()
    await answer
    dex.renew(options(server.ca.cert))
  }
  expect(sockets.size).toBe(1)
  await dex.close()
})

test('an issuer keeps its transport as long as it has certificates', async () => {
  const [one, other] = [createCertificateAuthority().cert, createCertificateAuthority().cert]
  const configOf = (certificates: Readonly<Record<string, string>>) => ({
    broker: { issuers: [{ name: 'a' }, { name: 'b' }] },
    file: {
      path: 'config.yaml',
      isEmpty: false,
      issuers: 2,
      clients: 0,
      rules: undefined,
      description: '',
      issuerCertificates: Object.fromEntries(
        Object.entries(certificates).map(([name, text]) => [name, { path: 'ca.crt', certificates: text }]),
      ),
    },
  })
  const transports = new IssuerTransports(configOf({ a: one }))
  const transportOf = (issuers: typeof transports.issuers, index: number) => issuers?.[index]?.transport
  const before = transportOf(transports.issuers, 0)
  expect(before).toBeDefined()
  expect(transportOf(transports.issuers, 1)).toBeUndefined()
  const discarded = transports.prepare(configOf({ b: one }))
  expect(transportOf(discarded.issuers, 0)).toBeUndefined()
  discarded.discard()
  const both = transports.prepare(configOf({ a: other, b: one }))
  both.commit()
  expect(transportOf(both.issuers, 0)).toBe(before)
  const ofB = transportOf(both.issuers, 1)
  expect(ofB).toBeDefined()
  const again = transports.prepare(configOf({ b: other }))
  again.commit()
  expect([transportOf(again.issuers, 0), transportOf(again.issuers, 1)]).toEqual([undefined, ofB])
  await transports.close()
})
