import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { TokenBroker } from '@broker/core'
import { listening } from '@broker/testing'
import { apiClient } from './ky.ts'
import { acceptsTokensOf, clientSecret, startOrdersDex } from './orders-dex.ts'

const dex = await startOrdersDex()
const { issuer } = dex
const accepts = acceptsTokensOf(dex)
const refused = new Set<string>()
const bodies: string[] = []
const api = await listening(async (request, response) => {
  const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
  let body = ''
  for await (const chunk of request) body += chunk
  bodies.push(body)
  if (refused.has(token) || !(await accepts(token))) response.writeHead(401).end()
  else response.end('three orders')
})
after(async () => {
  await api[Symbol.asyncDispose]()
  await dex.close()
})

function testBroker(secret = clientSecret): TokenBroker {
  dex.resetRecords()
  bodies.length = 0
  return new TokenBroker({
    issuer,
    client: { clientId: 'reports', clientSecret: secret, audiences: ['orders'] },
  })
}

test('twenty calls of ky carry one token', async () => {
  await using broker = testBroker()
  const client = apiClient(broker, api.url)
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.get('orders').text()))
  assert.deepEqual([...new Set(answers)], ['three orders'])
  assert.equal(dex.counts.tokenRequests, 1)
})

test('a refused token is replaced, and the body sent once more', async () => {
  await using broker = testBroker()
  refused.add((await broker.getToken()).accessToken)
  assert.equal(
    await apiClient(broker, api.url)
      .post('orders', { json: { count: 3 } })
      .text(),
    'three orders',
  )
  assert.deepEqual(bodies, ['{"count":3}', '{"count":3}'])
  assert.equal(dex.counts.tokenRequests, 2)
})

test('without a token nothing is sent, and ky does not try again', async () => {
  await using broker = testBroker('wrong')
  await assert.rejects(apiClient(broker, api.url).get('orders'), { code: 'client_misconfigured' })
  assert.equal(bodies.length, 0)
  assert.equal(dex.counts.tokenRequests, 1)
})
