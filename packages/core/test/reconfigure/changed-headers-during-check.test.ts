import { expect, test } from 'vitest'
import { orders, until } from '../broker-with-dex.ts'
import { HeldTransport, startReconfigurable } from './reconfigurable-broker.ts'

test('a check that waits for keys while the headers change ends with headers that belong together', async () => {
  const held = new HeldTransport()
  const gate = { audience: 'svc', jwtHeader: 'x-jwt' }
  await using running = await startReconfigurable(({ jwksUri }) => ({
    jwksUri,
    gate,
    client: orders,
    transport: held.transport,
    tokenHeaders: { access_token: 'x-old' },
  }))
  const { broker, dex, clock } = running
  const jwt = dex.signJwt({ sub: 'alice', aud: 'svc', exp: clock.wall() / 1000 + 600 })
  const headers = [
    'x-jwt',
    jwt,
    'authorization',
    'forged',
    'x-old',
    'forged',
    'x-new',
    'forged',
    'x-absent',
    'forged',
  ]
  held.hold()
  const early = broker.check({ headers })
  await until(() => held.waiting === 1)
  running.reconfigure({
    authorizationHeader: 'x-authorization',
    tokenHeaders: { access_token: 'x-new', no_such_field: 'x-absent' },
  })
  held.release()
  expect(await early).toEqual(await broker.check({ headers }))
})
