// #region timers
import { TokenBroker } from '@broker/core'
import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => void vi.useRealTimers())

test('all timers may be fake where a stub stands for Dex', async () => {
  vi.useFakeTimers()
  let issued = 0
  const transport = async () => {
    issued += 1
    return Response.json({ access_token: `token-${issued}`, token_type: 'bearer', expires_in: 600 })
  }
  const client = { clientId: 'reports', clientSecret: 'any' }
  await using broker = new TokenBroker({ tokenEndpoint: 'https://dex.test/token', client, transport })

  expect((await broker.getToken()).accessToken).toBe('token-1')
  vi.advanceTimersByTime(600_000)
  expect((await broker.getToken()).accessToken).toBe('token-2')
})
// #endregion timers
