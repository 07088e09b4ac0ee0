import { expect, test } from 'vitest'
import { startService } from '../service/start-service.ts'

// #region down
test('while Dex is down, a report is refused with 503', async () => {
  await using service = await startService()
  service.dex.setFault('token', { kind: 'reset' })
  expect((await fetch(`${service.url}/report`)).status).toBe(503)

  service.dex.clearFaults()
  expect((await fetch(`${service.url}/report`)).status).toBe(200)
})
// #endregion down

// #region outage
test('a failure of Dex that is over at once costs no report', async () => {
  await using service = await startService()
  service.dex.setFault('token', { kind: 'html', status: 503, times: 1 })
  expect((await fetch(`${service.url}/report`)).status).toBe(200)
  expect(service.dex.counts.tokenRequests).toBe(2)
})
// #endregion outage

// #region slow
test('reports that wait for a slow Dex share one token request', async () => {
  await using service = await startService()
  service.dex.setFault('token', { kind: 'slow', delayMs: 100 })
  const reports = await Promise.all([1, 2, 3].map(() => fetch(`${service.url}/report`)))
  expect(reports.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(service.dex.counts.tokenRequests).toBe(1)
})
// #endregion slow

// #region keys
test('the API lets in users, also with a key that Dex has rotated to, and not with an expired JWT', async () => {
  await using service = await startService()
  const { dex, ordersUrl } = service
  const ada = { client: 'orders', connector: 'github', userID: '42', groups: ['org:engineering'] }
  const statusFor = async (jwt: string) =>
    (await fetch(ordersUrl, { headers: { authorization: `Bearer ${jwt}` } })).status

  expect(await statusFor(dex.userToken(ada))).toBe(200)
  await dex.rotateKeys()
  expect(await statusFor(dex.userToken(ada))).toBe(200)
  dex.idTokensMs = 1
  expect(await statusFor(dex.userToken(ada))).toBe(401)
})
// #endregion keys
