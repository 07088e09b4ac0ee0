import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { orders, startBrokerWithDex } from '../broker-with-dex.ts'

test('the token does not show when the object is inspected, printed, serialised or enumerated', async () => {
  await using running = await startBrokerWithDex({
    client: orders,
    tokenHeaders: { access_token: 'x-access-token' },
  })
  const token = await running.broker.getToken()
  const everyWay = { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true, showProxy: true }
  const shown = [
    inspect(token),
    inspect(token, everyWay),
    inspect({ deep: { down: [token] } }, everyWay),
    JSON.stringify(token),
    JSON.stringify({ token }),
    String(token),
    `${Object.keys(token)} ${Object.entries(token)} ${Reflect.ownKeys(token).map(String)}`,
    JSON.stringify({ ...token }),
    JSON.stringify(structuredClone(token)),
  ]
  for (const text of shown) expect(text).not.toContain(token.accessToken.slice(0, 12))
  for (const name in token) expect(name).not.toBe('accessToken')
})

test('JSON and inspect still tell what kind of token it is and until when it lives', async () => {
  await using running = await startBrokerWithDex({ client: orders })
  const token = await running.broker.getToken()
  expect(JSON.parse(JSON.stringify(token))).toEqual({
    tokenType: 'Bearer',
    expiresAt: token.expiresAt,
    stale: false,
  })
  expect(inspect(token)).toContain('IssuedToken')
})

test('its headers are ready, frozen, and the same object every time', async () => {
  await using running = await startBrokerWithDex({
    client: orders,
    authorizationHeader: 'X-Upstream-Auth',
    tokenHeaders: {
      access_token: ['X-Access-Token', 'x-again'],
      token_type: 'x-type',
      id_token: 'x-id-token',
    },
  })
  const token = await running.broker.getToken()
  expect(token.headers).toEqual({
    'x-upstream-auth': `Bearer ${token.accessToken}`,
    'x-access-token': token.accessToken,
    'x-again': token.accessToken,
    'x-type': 'bearer',
  })
  expect(Object.isFrozen(token.headers)).toBe(true)
  expect(token.headers).toBe(token.headers)
})

test('nobody who holds the shared token can change its fields for the others', async () => {
  await using running = await startBrokerWithDex({ client: orders, tokenHeaders: { token_type: 'x-type' } })
  const token = await running.broker.getToken()
  expect(Object.isFrozen(token.fields)).toBe(true)
  expect(token.fields).toEqual({ token_type: 'bearer' })
  await using plain = await startBrokerWithDex({ client: orders })
  expect(Object.isFrozen((await plain.broker.getToken()).fields)).toBe(true)
})
