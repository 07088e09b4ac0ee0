import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TransportRequest } from '@broker/core'
import { until } from '@broker/testing'
import { expect, test } from 'vitest'
import { addressOptions, DexTransport } from '../src/dex-transport.ts'
import { version } from '../src/version.ts'
import { orders, startBroker } from './support/start-broker.ts'

const certificate = readFileSync(new URL('fixtures/dex-tls.crt', import.meta.url), 'utf8')

function request(): TransportRequest {
  return {
    method: 'POST',
    headers: {},
    body: 'grant_type=client_credentials',
    redirect: 'manual',
    signal: new AbortController().signal,
  }
}

async function startBehind(answer: RequestListener, timeoutMs: number) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const dex = new DexTransport({ timeoutMs, maxConnections: 32 })
  return {
    ask: () => dex.transport(`http://127.0.0.1:${port}/dex/token`, request()),
    async [Symbol.asyncDispose]() {
      await dex.close()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

test('Dex is asked over one connection more than tokens may take, for its key set, and whoever comes then waits', async () => {
  const sockets = new Set<Socket>()
  const waiting: ServerResponse[] = []
  await using dex = await startBehind(({ socket }, outgoing) => {
    sockets.add(socket)
    waiting.push(outgoing)
  }, 5_000)
  const answers = Promise.all(
    Array.from({ length: 40 }, async () => {
      const { status } = await dex.ask()
      return status
    }),
  )
  await until(() => waiting.length === 33, 'as many requests as connections')
  for (const outgoing of waiting) outgoing.end()
  await until(() => waiting.length === 40, 'the requests that waited')
  for (const outgoing of waiting.slice(33)) outgoing.end()
  expect(await answers).toEqual(Array.from({ length: 40 }, () => 200))
  expect(sockets.size).toBe(33)
})

test('a Dex that accepts a request and stays silent is given up', async () => {
  await using dex = await startBehind(() => {}, 200)
  await expect(dex.ask()).rejects.toMatchObject({ code: 'UND_ERR_HEADERS_TIMEOUT' })
})

test('a Dex that stops in the middle of an answer is given up', async () => {
  await using dex = await startBehind((_incoming, outgoing) => void outgoing.write('{'), 200)
  await expect(dex.ask()).rejects.toMatchObject({ code: 'UND_ERR_BODY_TIMEOUT' })
})

test('trusted roots are read once for a Dex by HTTPS, not for each connection', async () => {
  const tls = { cert: certificate, key: readFileSync(new URL('fixtures/dex-tls.key', import.meta.url)) }
  // Nobody is answered before all are there, or one connection would serve several.
  const waiting: ServerResponse[] = []
  let expected = 0
  const server = createTlsServer(tls, (_incoming, outgoing) => {
    if (waiting.push(outgoing) === expected) for (const one of waiting.splice(0)) one.end()
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = server.address() as AddressInfo
  /** Milliseconds of CPU time of this process, both sides of the connections included. */
  const costOf = async (connections: number) => {
    const dex = new DexTransport({
      timeoutMs: 10_000,
      caCertificates: certificate,
      maxConnections: connections,
    })
    expected = connections
    const before = process.cpuUsage()
    await Promise.all(
      Array.from({ length: connections }, async () => {
        await dex.transport(`https://127.0.0.1:${port}/dex/token`, request())
      }),
    )
    const { user, system } = process.cpuUsage(before)
    await dex.close()
    return (user + system) / 1000
  }
  // What is done once in a process only.
  await costOf(1)
  const one = await costOf(1)
  const many = await costOf(25)
  server.closeAllConnections()
  server.close()
  // 3 to 4 times as much; when each of them reads the roots, more than 20 times.
  expect(many / one).toBeLessThan(10)
})

test.each([100, 500, 1_000, 5_000, 60_000])(
  'of two addresses of Dex, one dead, the other has its chance within %i ms',
  timeoutMs => {
    const { autoSelectFamily, autoSelectFamilyAttemptTimeout: attemptMs } = addressOptions(timeoutMs)
    expect(autoSelectFamily).toBe(true)
    // Never less than Node gives by itself, which a slow network exceeds.
    expect(attemptMs).toBeGreaterThanOrEqual(250)
    if (timeoutMs >= 1_000) {
      expect(2 * attemptMs).toBeLessThan(timeoutMs)
      expect(attemptMs).toBeGreaterThanOrEqual(timeoutMs / 4)
    }
  },
)

test('requests to Dex name the server and its version', async () => {
  await using broker = await startBroker()
  await broker.check({ headers: orders })
  expect(broker.dex.tokenRequests.map(({ headers }) => headers['user-agent'])).toEqual([
    `dex-token-broker/${version()}`,
  ])
})
