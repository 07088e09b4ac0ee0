import { ask, RawConnection, until } from '@broker/testing'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { createAdminApp } from '../../src/admin/admin-app.ts'
import { EventStreams } from '../../src/admin/page/event-streams.ts'
import { runCommand } from '../support/command.ts'

const failure = new Error('the counters cannot be read')

test('a request that fails is answered with 500 and without its reason, which the listener reports', async () => {
  const failures: Error[] = []
  const registry = new Registry()
  registry.metrics = () => Promise.reject(failure)
  const app = createAdminApp({
    notReadyBecause: () => undefined,
    registry,
    onFailure: error => void failures.push(error),
  })
  const answer = await app.request('/metrics')
  expect([answer.status, await answer.text()]).toEqual([500, 'internal error\n'])
  expect(failures).toEqual([failure])
})

test('a request that is cut off in its body is no failure', async () => {
  await using command = runCommand([], {
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: '127.0.0.1:0',
    DEX_TOKEN_URL: 'http://127.0.0.1:1/token',
  })
  const { adminPort = 0 } = await command.listening()
  await using connection = await RawConnection.open(adminPort)
  connection.write('PUT /log-level HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nDE')
  // The listener has the head: it answers requests in the order in which they come.
  expect((await ask(adminPort, { target: '/healthz' })).status).toBe(200)
  connection.reset()
  expect((await ask(adminPort, { target: '/healthz' })).status).toBe(200)
  command.kill('SIGTERM')
  expect(await command.end()).toMatchObject({ code: 0 })
  expect(command.stderr).toBe('')
  expect(command.stdout).not.toContain('"level":"error"')
})

test('open pages end when the page cannot be rendered, and the process does not', async () => {
  let renderings = 0
  using streams = new EventStreams(() =>
    ++renderings > 1 ? Promise.reject(failure) : Promise.resolve('one'),
  )
  const reader = streams.open(() => true)?.getReader()
  const chunks: string[] = []
  let isDone = false
  void (async () => {
    for (;;) {
      const chunk = await reader?.read()
      if (chunk?.done !== false) break
      chunks.push(new TextDecoder().decode(chunk.value))
    }
    isDone = true
  })()
  await until(() => isDone, 'the end of the stream')
  expect(chunks).toEqual(['retry: 1000\n\n', 'data: one\n\n'])
})
