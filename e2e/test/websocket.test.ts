import { RawConnection } from '@broker/testing'
import { afterEach, expect, test } from 'vitest'
import { answerOn, ask, requestBytes } from '../harness/client-request.ts'
import { caller, credentials } from '../harness/dex.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
}

describeWithEnvoy('a WebSocket upgrade', () => {
  const system = useSystem()
  afterEach(() => system().backend.clear())

  test('with good credentials reaches the backend with a token, and echoes', async () => {
    await using connection = await RawConnection.open(system().port())
    connection.write(requestBytes({ target: '/live', headers: { ...credentials, ...upgrade } }))
    expect(await answerOn(connection)).toMatchObject({ status: 101, headers: { upgrade: 'websocket' } })
    for (const text of ['hello', 'x'.repeat(100_000)]) {
      connection.write(text)
      expect(await connection.bytes(text.length)).toBe(text)
    }
    const [arrived] = system().backend.requests
    expect(arrived).toMatchObject({ method: 'GET', url: '/live', tokenAudience: caller.id })
    expect(arrived?.header('x-client-secret')).toEqual([])
  })

  test('without credentials is refused, and reaches nobody', async () => {
    const answer = await ask(system().port(), { target: '/live', headers: upgrade })
    expect(answer.status).toBe(401)
    expect(system().backend.requests).toEqual([])
  })
})
