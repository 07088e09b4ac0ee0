// #region timers
import { afterEach, expect, jest, test } from '@jest/globals'
import { startService } from '../service/start-service.ts'

const timeouts = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const
const turns = ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const
afterEach(() => void jest.useRealTimers())

test('a token that expires is replaced', async () => {
  jest.useFakeTimers({ doNotFake: [...timeouts, ...turns, 'performance', 'hrtime'] })
  await using service = await startService()
  await fetch(`${service.url}/report`)
  jest.setSystemTime(Date.now() + 25 * 60 * 60 * 1000)
  expect((await fetch(`${service.url}/report`)).status).toBe(200)
  expect(service.dex.counts.tokenRequests).toBe(2)
})
// #endregion timers
