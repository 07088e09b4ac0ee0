// #region transport
import { TokenBroker } from '@broker/core'
import { expect, test } from 'vitest'

test('a stub stands for Dex', async () => {
  await using broker = new TokenBroker({
    tokenEndpoint: 'https://dex.test/token',
    client: { clientId: 'reports', clientSecret: 'any' },
    transport: async () => Response.json({ access_token: 'one', token_type: 'bearer', expires_in: 600 }),
  })
  expect((await broker.getToken()).headers).toEqual({ authorization: 'Bearer one' })
})
// #endregion transport
