// #region timers
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startService } from '../service/start-service.ts'

test('a token that expires is replaced', async ({ mock }) => {
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  await using service = await startService()
  await fetch(`${service.url}/report`)
  mock.timers.tick(25 * 60 * 60 * 1000)
  assert.equal((await fetch(`${service.url}/report`)).status, 200)
  assert.equal(service.dex.counts.tokenRequests, 2)
})
// #endregion timers
