import { until } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { startGrpcBroker } from './support/grpc-broker.ts'
import { call, framed, openSession } from './support/raw-call.ts'

const empty = framed(Buffer.alloc(0))

/** The status in a `HealthCheckResponse`: 1 is SERVING, 2 is NOT_SERVING. */
async function healthOf(port: number): Promise<number | undefined> {
  await using session = openSession(port)
  return (await call(session, empty, { ':path': '/grpc.health.v1.Health/Check' })).body[6]
}

describe('without an admin listener', () => {
  test('a broker that was ready stays so after a reload that needs new parts', async () => {
    await using broker = await startGrpcBroker({ ADMIN_ADDR: 'off' })
    expect(await healthOf(broker.grpcPort)).toBe(1)
    broker.server.reload(loadConfig({ DEX_ISSUER: 'http://127.0.0.1:1/dex', ADMIN_ADDR: 'off' }))
    expect(await healthOf(broker.grpcPort)).toBe(1)
  })

  test('a reload starts to load what the new configuration needs, without a probe', async () => {
    await using broker = await startGrpcBroker({ ADMIN_ADDR: 'off' })
    await until(() => broker.log.some(({ msg }) => msg === 'ready'), 'readiness')
    broker.server.reload(loadConfig({ DEX_ISSUER: 'http://127.0.0.1:1/dex', ADMIN_ADDR: 'off' }))
    const failed = 'issuer discovery failed: the issuer is unavailable'
    await until(() => broker.log.some(({ msg }) => msg === failed), 'the discovery')
  })
})
