import { expect, test } from 'vitest'
import { withoutRetries } from '../harness/listener-variants.ts'
import { SteadyLoad } from '../harness/steady-load.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

const requestsPerSecond = 250

describeWithEnvoy('connections that have reached their age', () => {
  const system = useSystem(() => ({
    environment: { GRPC_MAX_CONNECTION_AGE: '200ms' },
    listeners: { 'no retries': withoutRetries },
  }))

  test('are replaced under load without a lost check, even without retries', async () => {
    await using load = new SteadyLoad(system().port('no retries'), requestsPerSecond)
    const opened = () => system().envoy.stat('cluster.dex_token_broker.upstream_cx_total')
    await expect.poll(opened, { timeout: 20_000 }).toBeGreaterThan(20)
    const outcomes = await load.stop()
    expect(outcomes).toEqual({ 200: load.succeeded })
    expect(system().backend.requests.filter(({ tokenAudience }) => tokenAudience === undefined)).toEqual([])
  })
})
