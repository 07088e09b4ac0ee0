import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { Agent as Agent8 } from 'undici'
import { Agent as Agent7 } from 'undici-7'
import { describe, expect, test } from 'vitest'
import type { TransportRequest } from '../../src/shared/http/transport.ts'
import { undiciTransport } from '../../src/undici/undici-transport.ts'

async function startServer(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const request = (parts: Partial<TransportRequest> = {}): TransportRequest => ({
  method: 'GET',
  headers: {},
  redirect: 'manual',
  signal: new AbortController().signal,
  ...parts,
})

describe.each([
  ['undici 8', Agent8],
  ['undici 7', Agent7 as unknown as typeof Agent8],
])('the transport by %s', (_, Agent) => {
  test('gives a body of many chunks whole', async () => {
    await using backend = await startServer(async (_request, response) => {
      for (const part of ['{"a"', ':', '1}']) {
        response.write(part)
        await turn()
      }
      response.end()
    })
    await using agent = disposable(new Agent())
    const { status, body } = await undiciTransport(agent.dispatcher)(backend.url, request())
    expect(status).toBe(200)
    expect(String(body)).toBe('{"a":1}')
  })

  test('skips interim responses', async () => {
    await using backend = await startServer((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' })
      response.writeHead(201, { 'x-name': 'final' }).end('done')
    })
    await using agent = disposable(new Agent())
    const answer = await undiciTransport(agent.dispatcher)(backend.url, request())
    expect([answer.status, answer.headers.get('x-name'), String(answer.body)]).toEqual([201, 'final', 'done'])
  })

  test('reads little more than the broker wants, and closes the connection', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'a')
    await using backend = await startServer((_request, response) => {
      const write = (error?: Error | null) => {
        if (!error) response.write(chunk, write)
      }
      write()
    })
    const closed = new Promise(resolve =>
      backend.server.on('connection', socket => socket.on('close', resolve)),
    )
    await using agent = disposable(new Agent())
    const { body } = await undiciTransport(agent.dispatcher)(backend.url, request({ maxBodyBytes: 1_000 }))
    const { byteLength } = body as Uint8Array
    expect(byteLength).toBeGreaterThan(1_000)
    expect(byteLength).toBeLessThan(1_000 + 2 * chunk.length)
    await closed
  })

  test('rejects when the body ends too early', async () => {
    await using backend = await startServer((_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy())
    })
    await using agent = disposable(new Agent())
    await expect(undiciTransport(agent.dispatcher)(backend.url, request())).rejects.toThrow()
  })

  test('rejects with the reason of an abort, during the body too', async () => {
    const controller = new AbortController()
    await using backend = await startServer((_request, response) => {
      response.write('half', () => controller.abort(new Error('too late')))
    })
    await using agent = disposable(new Agent())
    const answer = undiciTransport(agent.dispatcher)(backend.url, request({ signal: controller.signal }))
    await expect(answer).rejects.toThrow('too late')
  })

  test('never sends a request that was aborted while it waited for a connection', async () => {
    const paths: (string | undefined)[] = []
    const release = Promise.withResolvers<void>()
    await using backend = await startServer(async ({ url }, response) => {
      paths.push(url)
      await release.promise
      response.end()
    })
    await using agent = disposable(new Agent({ connections: 1 }))
    const transport = undiciTransport(agent.dispatcher)
    const first = transport(backend.url, request())
    const controller = new AbortController()
    const second = transport(`${backend.url}/second`, request({ signal: controller.signal }))
    controller.abort(new Error('left'))
    await expect(second).rejects.toThrow('left')
    release.resolve()
    expect((await first).status).toBe(200)
    expect((await transport(`${backend.url}/third`, request())).status).toBe(200)
    expect(paths).toEqual(['/token', '/token/third'])
  })

  test('sends nothing for a signal that is aborted already', async () => {
    let requests = 0
    await using backend = await startServer((_request, response) => {
      requests++
      response.end()
    })
    await using agent = disposable(new Agent())
    const transport = undiciTransport(agent.dispatcher)
    const signal = AbortSignal.abort(new Error('before'))
    await expect(transport(backend.url, request({ signal }))).rejects.toThrow('before')
    await transport(backend.url, request())
    expect(requests).toBe(1)
  })
})

function disposable(dispatcher: Agent8) {
  return { dispatcher, [Symbol.asyncDispose]: () => dispatcher.destroy() }
}
