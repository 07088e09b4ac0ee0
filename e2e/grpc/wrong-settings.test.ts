import {
  type EnvoyConfig,
  envoyBootstrap,
  type ListenerParts,
  startBroker,
  startEnvoy,
} from '@broker/testing'
import { expect, test } from 'vitest'
import { ask } from '../harness/client-request.ts'
import { credentials, startDex } from '../harness/dex.ts'
import { anyPorts } from '../harness/protocol.ts'
import { startBackend } from '../harness/recording-backend.ts'
import { brokerEnvironment } from '../harness/system.ts'
import { describeWithEnvoy, requireEnvoy } from '../harness/with-envoy.ts'

type BootstrapOptions = Parameters<typeof envoyBootstrap>[0]
type Change = (cluster: EnvoyConfig) => void

const withoutHealthCheck: Change = cluster => delete cluster['health_checks']
const withoutHttp2: Change = cluster => delete cluster['typed_extension_protocol_options']
const withTls: Change = cluster => {
  cluster['transport_socket'] = {
    name: 'tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
    },
  }
}

function both(one: Change, other: Change): Change {
  return cluster => {
    one(cluster)
    other(cluster)
  }
}

const unchanged = (): void => {}

async function startScene(change: Partial<BootstrapOptions>, toPort: 'grpcPort' | 'port' = 'grpcPort') {
  await using stack = new AsyncDisposableStack()
  const dex = stack.use(await startDex())
  const backend = stack.use(await startBackend(dex))
  const broker = stack.use(await startBroker(brokerEnvironment(dex), { ...anyPorts }))
  const called = {
    ...anyPorts,
    ...broker,
    grpcPort: broker[toPort] as number,
    port: broker[toPort] as number,
  }
  const bootstrap = envoyBootstrap({
    protocol: 'grpc',
    brokers: [called],
    backendPort: backend.port,
    listeners: { ingress: unchanged },
    ...change,
  })
  const envoy = stack.use(await startEnvoy(requireEnvoy(), bootstrap))
  const resources = stack.move()
  return { backend, broker, envoy, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

// The symptoms in docs/envoy.md.
describeWithEnvoy('with a wrong setting nothing passes, and the guide has the symptoms:', () => {
  test.each<
    [name: string, change: Partial<BootstrapOptions>, port: 'grpcPort' | 'port', stat: string, fault: boolean]
  >([
    [
      'a cluster without HTTP/2',
      { changeBrokerCluster: both(withoutHttp2, withoutHealthCheck) },
      'grpcPort',
      'upstream_cx_protocol_error',
      true,
    ],
    [
      'an HTTP service that calls the gRPC port',
      { protocol: 'http', changeBrokerCluster: withoutHealthCheck },
      'grpcPort',
      'upstream_cx_protocol_error',
      true,
    ],
    [
      'TLS to a listener without TLS',
      { changeBrokerCluster: both(withTls, withoutHealthCheck) },
      'grpcPort',
      'upstream_cx_connect_fail',
      true,
    ],
    [
      'the port of the HTTP listener',
      { changeBrokerCluster: withoutHealthCheck },
      'port',
      'upstream_cx_protocol_error',
      false,
    ],
  ])('%s', async (_, change, port, stat, fault) => {
    await using scene = await startScene(change, port)
    const { status, body } = await ask(scene.envoy.port('ingress'), { headers: credentials })
    expect({ status, body }).toEqual({ status: 503, body: '' })
    expect(await scene.envoy.stat(`cluster.dex_token_broker.${stat}`)).toBeGreaterThan(0)
    expect(scene.backend.requests).toEqual([])
    const faults = await scene.broker.metric('dex_token_broker_grpc_faults_total')
    expect(faults > 0).toBe(fault)
    if (fault) {
      await scene.broker.process.until('the line about the fault', () =>
        scene.broker.process.log.includes('"fault":"protocol"') ? true : undefined,
      )
    }
  })

  test.each<[name: string, change: Partial<BootstrapOptions>, message: string]>([
    [
      'a gRPC health check without HTTP/2',
      { changeBrokerCluster: withoutHttp2 },
      'cluster must support HTTP/2 for gRPC healthchecking',
    ],
    [
      'two services in the filter',
      {
        listeners: {
          ingress: ({ extAuthz }: ListenerParts) => {
            extAuthz['http_service'] = { server_uri: { uri: 'x', cluster: 'x', timeout: '1s' } }
          },
        },
      },
      'has already been set',
    ],
    [
      'authorization_response in the filter',
      {
        listeners: {
          ingress: ({ extAuthz }: ListenerParts) => {
            extAuthz['authorization_response'] = {}
          },
        },
      },
      "no such field: 'authorization_response'",
    ],
  ])('Envoy does not start with %s', async (_, change, message) => {
    const error = await startScene(change).then(
      () => undefined,
      (reason: unknown) => reason as Error,
    )
    // Envoy varies the blanks in such messages on purpose.
    expect(error?.message.replace(/\s+/g, ' ')).toContain(message)
  })
})
