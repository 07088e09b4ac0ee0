import { expect, test } from 'vitest'
import { TokenBroker } from '../../src/token-broker.ts'
import { failureOf, orders } from '../broker-with-dex.ts'

test('an expired token that comes after the deadline, by a transport that ignores it, is not requested again', async () => {
  const expired = ['{"alg":"RS256"}', '{"exp":1}', 's']
    .map(part => Buffer.from(part).toString('base64url'))
    .join('.')
  let requests = 0
  await using broker = new TokenBroker({
    tokenEndpoint: 'http://127.0.0.1:9/token',
    client: orders,
    requestTimeoutMs: 20,
    transport: (_, { signal }) => {
      requests++
      const answer = () => Response.json({ access_token: expired, token_type: 'bearer' })
      return new Promise(resolve => signal.addEventListener('abort', () => resolve(answer())))
    },
  })
  expect(await failureOf(broker.getToken())).toMatchObject({ message: 'the token was expired on arrival' })
  expect(requests).toBe(1)
})
