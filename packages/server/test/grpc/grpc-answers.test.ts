import { expect, test } from 'vitest'
import { orders, startBroker } from '../support/start-broker.ts'
import { EnvoyClient } from './support/envoy-client.ts'

test('smoke', async () => {
  await using broker = await startBroker({ GRPC_LISTEN_ADDR: '127.0.0.1:0' })
  await using envoy = new EnvoyClient(broker.server.grpcAddress?.port ?? 0)
  console.log(JSON.stringify(await envoy.check({ headers: orders }), null, 1))
  console.log(JSON.stringify(await envoy.check({ headers: { ...orders, 'x-client-secret': 'no' } }), null, 1))
  console.log(
    JSON.stringify(await envoy.check({ lines: [...Object.entries(orders), ['x-client-id', 'orders']] })),
  )
  await expect(envoy.send({})).rejects.toThrow()
})
