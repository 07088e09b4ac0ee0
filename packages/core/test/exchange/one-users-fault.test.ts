import { expect, test } from 'vitest'
import { failureOf } from '../broker-with-dex.ts'
import { startBrokerWithUsers } from './broker-with-users.ts'

const tooLong = JSON.stringify({ access_token: 'x'.repeat(61 * 1024), token_type: 'bearer' })

test("a user whose token is too large for a header takes no other user's exchange away", async () => {
  await using running = await startBrokerWithUsers()
  const { dex, jwtOf, exchange } = running
  dex.setFault('token', { kind: 'answer', status: 200, body: tooLong, times: 1 })
  const bob = jwtOf('bob')
  expect(await failureOf(exchange(bob))).toMatchObject({
    code: 'invalid_token_response',
    message: 'the access_token is longer than 60 KiB',
  })
  await exchange(jwtOf('alice'))
  expect(dex.counts.tokenRequests).toBe(2)
  // The same JWT would get the same answer.
  expect((await failureOf(exchange(bob))).code).toBe('invalid_token_response')
  expect(dex.counts.tokenRequests).toBe(2)
})

test('a Dex without token exchange is asked once for all users', async () => {
  await using running = await startBrokerWithUsers()
  const { dex, jwtOf, exchange } = running
  dex.setFault('token', { kind: 'answer', status: 404, body: '404 page not found' })
  for (const user of ['bob', 'alice']) {
    expect((await failureOf(exchange(jwtOf(user)))).code).toBe('invalid_token_response')
  }
  expect(dex.counts.tokenRequests).toBe(1)
})
