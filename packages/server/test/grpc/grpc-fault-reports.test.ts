import { connect } from 'node:net'
import { until } from '@broker/testing'
import { expect, test } from 'vitest'
import { orders } from '../support/start-broker.ts'
import { checkRequest, encodeRequest } from './support/envoy-client.ts'
import { type GrpcBroker, startGrpcBroker } from './support/grpc-broker.ts'
import { startGrpcServer } from './support/grpc-server.ts'
import { answerOf, call, checkPath, framed, openCall, openSession } from './support/raw-call.ts'

const message = encodeRequest(checkRequest({ headers: orders }))

async function counted(broker: GrpcBroker): Promise<Record<string, number>> {
  const { body } = await broker.admin('/metrics')
  const lines = body.matchAll(/^dex_token_broker_grpc_faults_total\{reason="(\w+)"\} (\d+)$/gm)
  return Object.fromEntries([...lines].map(([, reason, value]) => [reason, Number(value)]))
}

test('calls that end without a verdict are counted and logged by reason, without data of the client', async () => {
  await using broker = await startGrpcBroker()
  await using session = openSession(broker.grpcPort)
  const health = { ':path': '/grpc.health.v1.Health/Check' }
  const secret = Buffer.from('s3cret-of-a-client')
  const bodies = [
    [framed(secret), {}],
    [framed(message).subarray(0, 40), {}],
    [framed(secret, { flag: 1 }), {}],
    [framed(secret, { length: 2 ** 31 }), {}],
    [framed(message), { ':path': '/s3cret.Service/Method' }],
    [framed(message), { 'content-type': 'application/s3cret' }],
    [framed(Buffer.concat([Buffer.of(0x0a, secret.length), secret])), health],
  ] as const
  for (const [body, headers] of bodies) await call(session, body, headers)
  const garbage = connect(broker.grpcPort, '127.0.0.1').on('error', () => {})
  garbage.end('GET /s3cret HTTP/1.1\r\n\r\n')
  const metric = async () => (await counted(broker)).protocol === 1
  await until(metric, 'the metric')
  expect(await counted(broker)).toEqual({
    malformed: 2,
    too_large: 1,
    compressed: 1,
    content_type: 1,
    unknown_method: 1,
    unknown_service: 1,
    timeout: 0,
    unread: 0,
    overload: 0,
    connection_limit: 0,
    protocol: 1,
    stopping: 0,
    internal: 0,
  })
  const lines = broker.log.filter(({ msg }) => msg === 'gRPC call or connection ended without a verdict')
  expect(lines.map(({ fault }) => fault)).toEqual([
    'malformed',
    'compressed',
    'too_large',
    'unknown_method',
    'content_type',
    'unknown_service',
    'protocol',
  ])
  expect(JSON.stringify(broker.log)).not.toContain('s3cret')
  expect((await call(session, framed(message))).status).toBe('0')
})

test('a caller that leaves is no fault', async () => {
  await using broker = await startGrpcBroker()
  const session = openSession(broker.grpcPort)
  const stream = openCall(session)
  stream.write(framed(message).subarray(0, 10))
  await call(session, framed(message))
  session.destroy()
  await using next = openSession(broker.grpcPort)
  await call(next, framed(message))
  expect(Object.values(await counted(broker)).every(value => value === 0)).toBe(true)
})

test('messages that do not arrive in time, and connections that say nothing, are counted', async () => {
  const faults: string[] = []
  await using server = await startGrpcServer({
    methods: { [checkPath]: { kind: 'unary', answer: () => framed(Buffer.alloc(0)) } },
    limits: { receiveTimeoutMs: 50 },
    onFault: fault => faults.push(fault),
  })
  await using session = openSession(server.port)
  await answerOf(openCall(session))
  expect(faults).toEqual(['timeout'])
  const silent = connect(server.port, '127.0.0.1').on('error', () => {})
  silent.resume()
  await until(() => silent.closed, 'the end of the connection')
  expect(faults).toEqual(['timeout', 'timeout'])
})
