import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { expect, test } from 'vitest'
import { createDexTransport } from '../src/dex-transport.ts'
import { until } from './support/until.ts'

async function startBehind(answer: RequestListener, timeoutMs: number) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const dex = createDexTransport({ timeoutMs })
  return {
    ask: () =>
      dex.transport(`http://127.0.0.1:${port}/dex/token`, {
        method: 'POST',
        headers: {},
        body: 'grant_type=client_credentials',
        redirect: 'manual',
        signal: new AbortController().signal,
      }),
    async [Symbol.asyncDispose]() {
      await dex.close()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

test('Dex is asked over 32 connections at most, and whoever comes then waits for one', async () => {
  const sockets = new Set<Socket>()
  const waiting: ServerResponse[] = []
  await using dex = await startBehind(({ socket }, outgoing) => {
    sockets.add(socket)
    waiting.push(outgoing)
  }, 5_000)
  const answers = Promise.all(
    Array.from({ length: 40 }, async () => {
      const { status, body } = await dex.ask()
      for await (const _ of body ?? []);
      return status
    }),
  )
  await until(() => waiting.length === 32, 'as many requests as connections')
  for (const outgoing of waiting) outgoing.end()
  await until(() => waiting.length === 40, 'the requests that waited')
  for (const outgoing of waiting.slice(32)) outgoing.end()
  expect(await answers).toEqual(Array.from({ length: 40 }, () => 200))
  expect(sockets.size).toBe(32)
})

test('a Dex that accepts a request and stays silent is given up', async () => {
  await using dex = await startBehind(() => {}, 200)
  await expect(dex.ask()).rejects.toMatchObject({ code: 'UND_ERR_HEADERS_TIMEOUT' })
})

test('a Dex that stops in the middle of an answer is given up', async () => {
  await using dex = await startBehind((_incoming, outgoing) => void outgoing.write('{'), 200)
  const { body } = await dex.ask()
  const read = async () => {
    for await (const _ of body ?? []);
  }
  await expect(read()).rejects.toMatchObject({ code: 'UND_ERR_BODY_TIMEOUT' })
})
