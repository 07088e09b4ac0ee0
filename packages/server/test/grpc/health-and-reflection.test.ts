import { until } from '@broker/testing'
import { type ClientDuplexStream, type ClientReadableStream, credentials } from '@grpc/grpc-js'
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader'
import { describe, expect, test } from 'vitest'
import { ownService } from './support/envoy-client.ts'
import { startGrpcBroker } from './support/grpc-broker.ts'

const Health = ownService('grpc/health/v1/health.proto', 'grpc.health.v1.Health')
const Reflection = ownService('grpc/reflection/v1/reflection.proto', 'grpc.reflection.v1.ServerReflection')
const services = ['', 'envoy.service.auth.v3.Authorization']

interface HealthAnswer {
  readonly status: string
}

interface HealthClient {
  Check(request: object, callback: (error: { code: number } | null, answer: HealthAnswer) => void): void
  Watch(request: object): ClientReadableStream<HealthAnswer>
  close(): void
}

function healthClient(port: number): HealthClient & Disposable {
  const client = new Health(`127.0.0.1:${port}`, credentials.createInsecure())
  return Object.assign(client as unknown as HealthClient, { [Symbol.dispose]: () => client.close() })
}

function healthOf(client: HealthClient, service: string): Promise<string | number> {
  return new Promise(resolve => {
    client.Check({ service }, (error, answer) => resolve(error ? error.code : answer.status))
  })
}

/** Notes what a watch says, up to its end. */
function watch(client: HealthClient, service: string) {
  const said: (string | number)[] = []
  const stream = client.Watch({ service })
  stream.on('data', ({ status }: HealthAnswer) => said.push(status))
  stream.on('error', (error: Error & { code: number }) => said.push(error.code))
  stream.on('end', () => said.push('end'))
  return { said, stream }
}

describe('health', () => {
  test.each(services)('of %j follows the readiness of the broker', async service => {
    await using broker = await startGrpcBroker(dex => ({ DEX_ISSUER: dex.issuer, DEX_TOKEN_URL: '' }))
    using client = healthClient(broker.grpcPort)
    await until(async () => (await healthOf(client, service)) === 'SERVING', 'readiness')
    expect((await broker.admin('/readyz')).status).toBe(200)
  })

  test('is NOT_SERVING while the broker is not ready', async () => {
    await using broker = await startGrpcBroker({
      DEX_ISSUER: 'http://127.0.0.1:1/dex',
      DEX_TOKEN_URL: '',
    })
    using client = healthClient(broker.grpcPort)
    for (const service of services) expect(await healthOf(client, service)).toBe('NOT_SERVING')
  })

  test('of an unknown service is NOT_FOUND', async () => {
    await using broker = await startGrpcBroker()
    using client = healthClient(broker.grpcPort)
    expect(await healthOf(client, 'other')).toBe(5)
    expect(watch(client, 'other').said).toEqual([])
  })

  test('is told to watchers at once, and that a stop begins', async () => {
    await using broker = await startGrpcBroker()
    using client = healthClient(broker.grpcPort)
    const known = watch(client, 'envoy.service.auth.v3.Authorization')
    const unknown = watch(client, 'other')
    await until(() => known.said.length === 1 && unknown.said.length === 1, 'the status')
    expect(unknown.said).toEqual(['SERVICE_UNKNOWN'])
    expect(await broker.server.close()).toBe(true)
    await until(() => known.said.length === 3, 'the end')
    expect(known.said).toEqual(['SERVING', 'NOT_SERVING', 'end'])
  })

  test('leaves no watch behind when its caller leaves', async () => {
    await using broker = await startGrpcBroker()
    using client = healthClient(broker.grpcPort)
    const { said, stream } = watch(client, '')
    await until(() => said.length === 1, 'the status')
    stream.cancel()
    expect(await healthOf(client, '')).toBe('SERVING')
    expect(await broker.server.close()).toBe(true)
  })
})

interface ReflectionAnswer {
  readonly list_services_response?: { readonly service: { readonly name: string }[] }
  readonly file_descriptor_response?: { readonly file_descriptor_proto: Buffer[] }
  readonly error_response?: { readonly error_code: number }
}

/** Sends questions on one stream, and waits for their answers. */
async function reflect(port: number, questions: readonly object[]): Promise<ReflectionAnswer[]> {
  const client = new Reflection(`127.0.0.1:${port}`, credentials.createInsecure())
  try {
    const { ServerReflectionInfo: open } = client as unknown as {
      ServerReflectionInfo: () => ClientDuplexStream<object, ReflectionAnswer>
    }
    const stream = open.call(client)
    const answers: ReflectionAnswer[] = []
    stream.on('data', (answer: ReflectionAnswer) => answers.push(answer))
    for (const question of questions) stream.write(question)
    stream.end()
    await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject))
    return answers
  } finally {
    client.close()
  }
}

describe('reflection', () => {
  test('ends a call that asks without end, and goes on with the next', async () => {
    await using broker = await startGrpcBroker()
    const endless = Array.from({ length: 101 }, () => ({ list_services: '*' }))
    await expect(reflect(broker.grpcPort, endless)).rejects.toThrow()
    expect(await reflect(broker.grpcPort, [{ list_services: '*' }])).toHaveLength(1)
  })

  test('lists the services, and describes each with everything that it imports', async () => {
    await using broker = await startGrpcBroker()
    const [list] = await reflect(broker.grpcPort, [{ list_services: '*' }])
    const names = list?.list_services_response?.service.map(({ name }) => name) ?? []
    expect(names).toEqual([
      'envoy.service.auth.v3.Authorization',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
    ])
    const answers = await reflect(
      broker.grpcPort,
      names.map(name => ({ file_containing_symbol: name })),
    )
    for (const [index, name] of names.entries()) {
      const files = answers[index]?.file_descriptor_response?.file_descriptor_proto ?? []
      const set = Buffer.concat(files.map(file => Buffer.concat([lengthOf(file), file])))
      expect(Object.keys(loadFileDescriptorSetFromBuffer(set))).toContain(name)
    }
  })

  test('finds methods, messages and files, and says what it does not have', async () => {
    await using broker = await startGrpcBroker()
    const answers = await reflect(broker.grpcPort, [
      { file_containing_symbol: 'envoy.service.auth.v3.Authorization.Check' },
      { file_containing_symbol: 'envoy.service.auth.v3.AttributeContext.HttpRequest' },
      { file_by_filename: 'envoy/service/auth/v3/external_auth.proto' },
      { file_by_filename: 'google/protobuf/struct.proto' },
      { file_containing_symbol: 'other.Service' },
      {},
    ])
    expect(answers.map(answer => answer.error_response?.error_code ?? 'found')).toEqual([
      'found',
      'found',
      'found',
      'found',
      5,
      12,
    ])
  })
})

/** Tag and length of a file in a `FileDescriptorSet`. */
function lengthOf(file: Buffer): Buffer {
  const bytes = [0x0a]
  let rest = file.length
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}
