// Tests of code that uses a broker, without Dex; a snippet of docs/library.md.
// #region tests
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TokenBroker } from '@broker/core'

let now = Date.parse('2030-01-01T00:00:00Z')

function testBroker(answer: () => Response): TokenBroker {
  return new TokenBroker({
    tokenEndpoint: 'https://dex.test/token',
    client: { clientId: 'reports', clientSecret: 'any' },
    transport: async () => answer(),
    clock: { wall: () => now, monotonic: () => now },
  })
}

test('a token is requested again after its life', async () => {
  let requests = 0
  await using broker = testBroker(() => {
    requests += 1
    return Response.json({ access_token: `token-${requests}`, token_type: 'bearer', expires_in: 600 })
  })
  assert.equal((await broker.getToken()).accessToken, 'token-1')
  now += 10 * 60_000
  assert.equal((await broker.getToken()).accessToken, 'token-2')
})

test('a rejected client is an error', async () => {
  await using broker = testBroker(() => Response.json({ error: 'invalid_client' }, { status: 401 }))
  await assert.rejects(broker.getToken(), { code: 'client_misconfigured', status: 502 })
})

// #endregion tests

// #region fake
import { createFetch } from '@broker/core'

test('a call carries the token', async () => {
  const fake = { getToken: async () => ({ accessToken: 'test' }) }
  const sent: (string | null)[] = []
  const call = createFetch(fake, {
    allow: ['https://api.test'],
    fetch: async (_, init) => {
      sent.push(new Headers(init?.headers).get('authorization'))
      return new Response()
    },
  })
  await call('https://api.test/orders')
  assert.deepEqual(sent, ['Bearer test'])
})
// #endregion fake
