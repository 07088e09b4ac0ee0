import { expect, test } from 'vitest'
import { startService } from './start-service.ts'

test('a report has the orders, and the next one needs no new token', async () => {
  await using service = await startService()
  expect(await (await fetch(`${service.url}/report`)).json()).toEqual({ report: 3 })
  expect((await fetch(`${service.url}/report`)).status).toBe(200)
  expect(service.dex.counts.tokenRequests).toBe(1)
})
