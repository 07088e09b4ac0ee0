// #region msw
import { createFetch, TokenBroker } from '@broker/core'
import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, beforeAll, expect, test } from 'vitest'

const server = setupServer(
  http.post('https://dex.test/token', () =>
    HttpResponse.json({ access_token: 'one', token_type: 'bearer', expires_in: 600 }),
  ),
  http.get('https://orders.test/orders', ({ request }) =>
    HttpResponse.json({ orders: 3, calledWith: request.headers.get('authorization') }),
  ),
)
beforeAll(() => server.listen())
afterAll(() => server.close())

test('MSW answers for Dex and for the API', async () => {
  const client = { clientId: 'reports', clientSecret: 'any' }
  await using broker = new TokenBroker({ tokenEndpoint: 'https://dex.test/token', client })
  const callOrders = createFetch(broker, { allow: ['https://orders.test'] })
  const response = await callOrders('https://orders.test/orders')
  expect(await response.json()).toEqual({ orders: 3, calledWith: 'Bearer one' })
})
// #endregion msw
