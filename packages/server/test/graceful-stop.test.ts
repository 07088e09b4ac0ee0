import { setTimeout as delay } from 'node:timers/promises'
import { ask, RawConnection, until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { runCommand } from './support/command.ts'
import { bearerOf, errorOf, orders, startBroker, startDex } from './support/start-broker.ts'

const addresses = { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0' }

async function refusesConnections(port: number): Promise<boolean> {
  return await RawConnection.open(port).then(
    async connection => {
      await connection[Symbol.asyncDispose]()
      return false
    },
    error => error.code === 'ECONNREFUSED',
  )
}

test('SIGHUP ends nothing, and says that there was nothing to reload', async () => {
  await using command = runCommand([], { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: 'off' })
  const { port } = await command.listening()
  command.kill('SIGHUP')
  await until(() => command.stdout.includes('configuration unchanged'), 'the log')
  expect((await ask(port, { target: '/healthz' })).status).toBe(200)
  command.kill('SIGTERM')
  expect(await command.end()).toEqual({ code: 0, signal: null })
})

describe('a stop by SIGTERM', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('as by %s ends an idle process with 0 at once', async signal => {
    await using dex = await startDex()
    await using command = runCommand([], { ...addresses, DEX_TOKEN_URL: dex.tokenEndpoint })
    await command.listening()
    command.kill(signal)
    expect(await command.end(3_000)).toEqual({ code: 0, signal: null })
    expect(command.stdout).toContain('"msg":"stopped"')
    expect(command.stderr).toBe('')
  })

  test('lets a check finish that waits for a slow Dex, and accepts no new connection after draining', async () => {
    await using dex = await startDex()
    dex.setFault('token', { kind: 'slow', delayMs: 1_800 })
    await using command = runCommand([], {
      ...addresses,
      DEX_TOKEN_URL: dex.tokenEndpoint,
      SHUTDOWN_TIMEOUT: '8s',
    })
    const { port } = await command.listening()
    await using waiting = await RawConnection.open(port)
    waiting.send({ headers: orders })
    await until(() => dex.counts.tokenRequests === 1, 'the token request')
    command.kill('SIGTERM')
    await until(() => refusesConnections(port), 'the refusal of connections')
    expect(waiting.ended).toBe(false)
    const answer = await waiting.answer()
    bearerOf(answer)
    expect(answer.header('connection')).toBe('close')
    await waiting.closed(500)
    // Nothing is left to wait for: it does not sit out the rest of the time.
    expect(await command.end(1_500)).toEqual({ code: 0, signal: null })
    expect(command.stdout).not.toContain('cut off')
  })

  test('closes idle keep-alive connections, and those on which nothing was ever sent', async () => {
    await using dex = await startDex()
    await using command = runCommand([], {
      ...addresses,
      DEX_TOKEN_URL: dex.tokenEndpoint,
      SHUTDOWN_TIMEOUT: '8s',
    })
    const { port } = await command.listening()
    await using idle = await RawConnection.open(port)
    idle.send({ headers: orders })
    expect((await idle.answer()).header('connection')).toBe('keep-alive')
    await using silent = await RawConnection.open(port)
    command.kill('SIGTERM')
    await Promise.all([idle.closed(3_000), silent.closed(3_000)])
    expect(await command.end(1_000)).toEqual({ code: 0, signal: null })
    expect(command.stdout).not.toContain('cut off')
  })

  test('tells clients on the way not to use their connection again', async () => {
    await using broker = await startBroker({ SHUTDOWN_TIMEOUT: '4s' })
    await using connection = await RawConnection.open(broker.port)
    connection.send({ headers: orders })
    await connection.answer()
    const closed = broker.server.close()
    connection.send({ headers: orders })
    const last = await connection.answer()
    bearerOf(last)
    expect(last.header('connection')).toBe('close')
    await connection.closed()
    expect(await closed).toBe(true)
  })

  test('cuts a check that hangs at SHUTDOWN_TIMEOUT, and the process ends', async () => {
    await using dex = await startDex()
    dex.setFault('token', { kind: 'hang' })
    await using command = runCommand([], {
      ...addresses,
      DEX_TOKEN_URL: dex.tokenEndpoint,
      HTTP_TIMEOUT: '30s',
      SHUTDOWN_TIMEOUT: '700ms',
    })
    const { port } = await command.listening()
    await using waiting = await RawConnection.open(port)
    waiting.send({ headers: orders })
    await until(() => dex.counts.tokenRequests === 1, 'the token request')
    const startedAt = performance.now()
    command.kill('SIGTERM')
    await waiting.closed()
    expect(waiting.rest).toBe('')
    expect(await command.end(2_000)).toEqual({ code: 0, signal: null })
    expect(performance.now() - startedAt).toBeGreaterThan(600)
    expect(command.stdout).toContain('stopped after SHUTDOWN_TIMEOUT')
  })

  test('ends at once at the second signal', async () => {
    await using dex = await startDex()
    dex.setFault('token', { kind: 'hang' })
    await using command = runCommand([], {
      ...addresses,
      DEX_TOKEN_URL: dex.tokenEndpoint,
      HTTP_TIMEOUT: '30s',
      SHUTDOWN_TIMEOUT: '30s',
    })
    const { port } = await command.listening()
    await using waiting = await RawConnection.open(port)
    waiting.send({ headers: orders })
    await until(() => dex.counts.tokenRequests === 1, 'the token request')
    command.kill('SIGTERM')
    await until(() => command.stdout.includes('"stopping"'), 'the stop')
    expect(command.isRunning).toBe(true)
    command.kill('SIGINT')
    expect(await command.end(1_000)).toEqual({ code: 1, signal: null })
    expect(command.stdout).toContain('stopping at once')
  })

  test.each([
    ['CONNECT', 'CONNECT backend.example:443 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['garbage', 'garbage\r\n\r\n'],
  ])('is not held up by a client that was refused for %s and stays', async (_, bytes) => {
    await using dex = await startDex()
    await using command = runCommand([], {
      ...addresses,
      DEX_TOKEN_URL: dex.tokenEndpoint,
      SHUTDOWN_TIMEOUT: '4s',
    })
    const { port } = await command.listening()
    await using stubborn = await RawConnection.open(port)
    stubborn.write(bytes)
    await stubborn.answer()
    command.kill('SIGTERM')
    expect(await command.end(3_000)).toEqual({ code: 0, signal: null })
    expect(command.stdout).not.toContain('cut off')
  })

  test('flips readiness first, while checks are still answered', async () => {
    await using broker = await startBroker({ SHUTDOWN_TIMEOUT: '4s' })
    // While somebody is connected there is somebody to be told.
    await using _connection = await RawConnection.open(broker.port)
    expect((await broker.admin('/readyz')).status).toBe(200)
    const closed = broker.server.close()
    const page = await broker.admin('/readyz')
    expect([page.status, page.body.trim()]).toEqual([503, 'not ready: shutting down'])
    expect((await broker.admin('/healthz')).status).toBe(200)
    bearerOf(await ask(broker.port, { headers: orders }))
    expect(await closed).toBe(true)
  })

  test('accepts connections while it drains, also when for a moment none is left', async () => {
    await using broker = await startBroker({ SHUTDOWN_TIMEOUT: '4s' })
    const first = await RawConnection.open(broker.port)
    const closed = broker.server.close()
    first.send({ headers: orders })
    await first.closed()
    for (let count = 0; count < 4; count += 1) {
      // Under load through Envoy there is no connection between one check, whose answer closes its own, and the next.
      // real time: time for the server to see that its last connection is gone
      await delay(50)
      bearerOf(await ask(broker.port, { headers: orders }))
    }
    expect(await closed).toBe(true)
  })

  test('may be asked for twice', async () => {
    await using broker = await startBroker()
    expect(await broker.server.close()).toBe(true)
    expect(await broker.server.close()).toBe(true)
  })

  test('answers a check that fails meanwhile like any other', async () => {
    await using broker = await startBroker({ SHUTDOWN_TIMEOUT: '4s' })
    broker.dex.setFault('token', { kind: 'slow', delayMs: 300 })
    await using connection = await RawConnection.open(broker.port)
    connection.send({ headers: { ...orders, 'x-client-secret': 'wrong' } })
    await until(() => broker.dex.counts.tokenRequests === 1, 'the token request')
    const closed = broker.server.close()
    expect(errorOf(await connection.answer())).toBe('token_request_rejected')
    expect(await closed).toBe(true)
  })
})
