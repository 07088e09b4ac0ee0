import { expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { failureOf } from '../broker-with-dex.ts'
import {
  type BrokerWithUsers,
  gateOf,
  portal,
  reports,
  startBrokerWithUsers,
} from '../exchange/broker-with-users.ts'

function optionsOf({ idp, dex }: BrokerWithUsers): TokenBrokerOptions {
  return { tokenEndpoint: dex.tokenEndpoint, client: portal, clients: { reports }, ...gateOf(idp) }
}

test('a new configuration keeps the tokens of users, whose client is the same', async () => {
  await using running = await startBrokerWithUsers()
  const options = optionsOf(running)
  running.broker.reconfigure(options)
  const jwt = running.jwtOf('alice')
  const token = await running.exchange(jwt)
  running.broker.reconfigure({
    ...options,
    clients: { reports: { ...reports, scope: 'groups' } },
    gate: { ...options.gate, requiredGroups: ['team-a'] },
  })
  expect(await running.exchange(jwt)).toBe(token)
  running.broker.reconfigure({ ...options, client: { ...portal, clientSecret: 'another' } })
  expect(await running.exchange(jwt)).toBe(token)
  expect(running.dex.counts.tokenRequests).toBe(1)
})

test('a gate that becomes stricter refuses a user whose token is cached', async () => {
  await using running = await startBrokerWithUsers()
  const options = optionsOf(running)
  const jwt = running.jwtOf('alice')
  await running.exchange(jwt)
  running.broker.reconfigure({ ...options, gate: { ...options.gate, audience: 'another-app' } })
  expect(await failureOf(running.exchange(jwt))).toMatchObject({ code: 'invalid_token' })
})

test('other headers drop the tokens of users, and a smaller limit evicts them', async () => {
  await using running = await startBrokerWithUsers()
  const options = optionsOf(running)
  for (const user of ['alice', 'bob', 'carol']) await running.exchange(running.jwtOf(user))
  running.broker.reconfigure({ ...options, exchangeMaxEntries: 2 })
  expect(running.broker.exchangeStatistics.entries).toBe(2)
  running.broker.reconfigure({ ...options, authorizationHeader: 'x-authorization' })
  expect(running.broker.exchangeStatistics.entries).toBe(0)
  expect((await running.exchange(running.jwtOf('alice'))).headers).toHaveProperty('x-authorization')
})

test('the pace of a user outlasts a new configuration', async () => {
  await using running = await startBrokerWithUsers()
  for (let index = 0; index < 10; index++) await running.exchange(running.jwtOf('alice'))
  running.broker.reconfigure(optionsOf(running))
  running.broker.reconfigure({ ...optionsOf(running), requestTimeoutMs: 1_000 })
  expect(await failureOf(running.exchange(running.jwtOf('alice')))).toMatchObject({ code: 'overloaded' })
})
