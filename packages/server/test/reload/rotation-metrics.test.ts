import { MountedVolume } from '@broker/testing'
import { expect, test } from 'vitest'
import { bearerOf, startDex } from '../support/start-broker.ts'
import { startReloadingBroker } from './start-reloading-broker.ts'

test('while the previous secret is in use, each token request counts one refusal and one token, and no check fails', async () => {
  await using dex = await startDex()
  using volume = new MountedVolume({ secret: 'orders-secret' })
  await using broker = await startReloadingBroker(dex, {
    STATIC_CLIENT_ID: 'orders',
    STATIC_CLIENT_SECRET_FILE: volume.file('secret'),
  })
  const requests = (outcome: string) =>
    broker.metric(`dex_token_broker_token_request_duration_seconds_count{outcome="${outcome}"}`)
  const counted = async () => [await requests('issued'), await requests('client_misconfigured')]
  const check = async (scope: string) => bearerOf(await broker.check({ 'x-scope': scope }))
  await check('openid')
  expect(await requests('issued')).toBe(1)

  volume.swap({ secret: 'next-secret' })
  await broker.look()
  await check('openid email')
  await check('openid profile')
  expect(await counted()).toEqual([3, 2])

  dex.setClientSecret('orders', 'next-secret')
  await check('openid groups')
  expect(await counted()).toEqual([4, 2])
  expect(broker.lines('client secret accepted')).toHaveLength(1)
})
