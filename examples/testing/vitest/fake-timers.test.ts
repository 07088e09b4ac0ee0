// #region timers
import { afterEach, expect, test, vi } from 'vitest'
import { startService } from '../service/start-service.ts'

afterEach(() => void vi.useRealTimers())

test('a token that expires is replaced', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  await using service = await startService()
  await fetch(`${service.url}/report`)
  vi.advanceTimersByTime(25 * 60 * 60 * 1000)
  expect((await fetch(`${service.url}/report`)).status).toBe(200)
  expect(service.dex.counts.tokenRequests).toBe(2)
})
// #endregion timers
