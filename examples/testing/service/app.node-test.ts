import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startService } from './start-service.ts'

test('a report has the orders, and the next one needs no new token', async () => {
  await using service = await startService()
  assert.deepEqual(await (await fetch(`${service.url}/report`)).json(), { report: 3 })
  assert.equal((await fetch(`${service.url}/report`)).status, 200)
  assert.equal(service.dex.counts.tokenRequests, 1)
})
