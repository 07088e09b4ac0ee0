import { expect, test } from 'vitest'
import { orders } from '../broker-with-dex.ts'
import { startReconfigurable } from './reconfigurable-broker.ts'

test('tokens of lost keys are dropped also when only the age of key sets changed since they were issued', async () => {
  await using running = await startReconfigurable(({ jwksUri }) => ({ jwksUri, client: orders, gate: {} }))
  const { broker, dex, clock } = running
  const jwt = () => dex.signJwt({ sub: 'alice', exp: clock.wall() / 1000 + 600 })
  await broker.verify(jwt())
  await broker.getToken()
  running.reconfigure({ gate: { jwksMaxAgeMs: 300_000 } })
  await dex.restart()
  clock.advance(11_000)
  await broker.verify(jwt())
  expect(broker.peekToken()).toBeUndefined()
})
