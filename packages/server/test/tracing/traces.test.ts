import type { DevDex } from '@broker/dev-dex'
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver, until } from '@broker/testing'
import { Metadata } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import { checkRequest } from '../grpc/support/envoy-client.ts'
import { startGrpcBroker } from '../grpc/support/grpc-broker.ts'
import { runCommand } from '../support/command.ts'
import { orders, startBroker } from '../support/start-broker.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'
const traceparent = `00-${traceId}-${spanId}-01`

const toCollector = ({ url }: OtlpReceiver) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url, SHUTDOWN_TIMEOUT: '5s' })
const namesOf = (spans: readonly ReceivedSpan[]) => spans.map(({ name }) => name).sort()
const contextSentTo = (dex: DevDex) => dex.tokenRequests[0]?.headers['traceparent']

describe('a check over HTTP', () => {
  test('has a span below the one of the proxy, and its token request a span below that', async () => {
    await using collector = await startOtlpReceiver()
    await using broker = await startBroker(toCollector(collector))
    const headers = { ...orders, traceparent, tracestate: 'vendor=1', baggage: 'user=alice' }
    expect((await broker.check({ headers })).status).toBe(200)
    await broker.server.close()
    const check = collector.spans.find(({ name }) => name === 'check')
    const request = collector.spans.find(({ name }) => name === 'token request')
    expect(collector.spans).toHaveLength(2)
    expect(check).toMatchObject({
      service: 'dex-token-broker',
      kind: 'server',
      traceId,
      parentSpanId: spanId,
      traceState: 'vendor=1',
      failed: false,
      attributes: {
        'http.route': '/check',
        'http.response.status_code': 200,
        'dex_broker.verdict': 'allow',
        'dex_broker.outcome': 'requested',
        'dex_broker.client': 'caller',
      },
    })
    expect(request).toMatchObject({ kind: 'client', traceId, parentSpanId: check?.spanId, failed: false })
    expect(contextSentTo(broker.dex)).toBe(`00-${traceId}-${request?.spanId}-01`)
    expect(broker.dex.tokenRequests[0]?.headers).not.toHaveProperty('baggage')
  })

  test('that is answered from the cache has one span', async () => {
    await using collector = await startOtlpReceiver()
    await using broker = await startBroker(toCollector(collector))
    await broker.check({ headers: orders })
    await broker.check({ headers: { ...orders, traceparent } })
    await broker.server.close()
    expect(collector.spans.filter(span => span.traceId === traceId)).toMatchObject([
      {
        name: 'check',
        attributes: { 'dex_broker.outcome': 'hit', 'dex_broker.client': 'caller' },
        links: [],
      },
    ])
  })

  test('that joins a token request has a link to the check that started it', async () => {
    await using collector = await startOtlpReceiver()
    await using broker = await startBroker(toCollector(collector))
    broker.dex.setFault('token', { kind: 'slow', delayMs: 200 })
    await Promise.all([1, 2, 3].map(() => broker.check({ headers: orders })))
    await broker.server.close()
    expect(broker.dex.counts.tokenRequests).toBe(1)
    const outcome = (span: ReceivedSpan) => span.attributes['dex_broker.outcome']
    const [leader, ...others] = collector.spans.filter(span => outcome(span) === 'requested')
    expect(others).toEqual([])
    const joined = collector.spans.filter(span => outcome(span) === 'joined')
    expect(joined).toHaveLength(2)
    for (const each of joined) {
      expect(each.links).toEqual([{ traceId: leader?.traceId, spanId: leader?.spanId }])
      expect(each.traceId).not.toBe(leader?.traceId)
    }
    const requests = collector.spans.filter(({ name }) => name === 'token request')
    expect(requests.map(({ parentSpanId }) => parentSpanId)).toEqual([leader?.spanId])
  })

  test('that is refused names the code; only the fault of the broker or of Dex is a failure', async () => {
    await using collector = await startOtlpReceiver()
    await using broker = await startBroker(toCollector(collector))
    expect((await broker.check({})).status).toBe(401)
    broker.dex.setFault('token', { kind: 'reset' })
    expect((await broker.check({ headers: orders })).status).toBe(503)
    await broker.server.close()
    const checks = collector.spans.filter(({ name }) => name === 'check')
    expect(checks).toMatchObject([
      {
        failed: false,
        attributes: { 'dex_broker.code': 'missing_credentials', 'http.response.status_code': 401 },
      },
      {
        failed: true,
        attributes: {
          'dex_broker.code': 'token_endpoint_unavailable',
          'error.type': 'token_endpoint_unavailable',
          'http.response.status_code': 503,
        },
      },
    ])
  })
})

describe('a check over gRPC', () => {
  const check = (broker: Awaited<ReturnType<typeof startGrpcBroker>>, headers: object, metadata: Metadata) =>
    new Promise((resolve, reject) => {
      const client = broker.envoy.client as unknown as {
        Check(message: object, metadata: Metadata, done: (error: unknown, answer: unknown) => void): void
      }
      const message = checkRequest({ headers: { ...orders, ...headers } })
      client.Check(message, metadata, (error, answer) => (error ? reject(error) : resolve(answer)))
    })

  test("belongs to the span of the proxy's call, and not to the one of its client", async () => {
    await using collector = await startOtlpReceiver()
    await using broker = await startGrpcBroker(toCollector(collector))
    const metadata = new Metadata()
    metadata.set('traceparent', traceparent)
    await check(broker, { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` }, metadata)
    await broker.server.close()
    const span = collector.spans.find(({ name }) => name === 'check')
    expect(span).toMatchObject({
      kind: 'server',
      traceId,
      parentSpanId: spanId,
      attributes: {
        'rpc.system.name': 'grpc',
        'rpc.method': 'envoy.service.auth.v3.Authorization/Check',
        'dex_broker.outcome': 'requested',
      },
    })
    expect(namesOf(collector.spans)).toEqual(['check', 'token request'])
  })

  test("belongs to the span of the client when the proxy's call has none, also without metadata about checks", async () => {
    await using collector = await startOtlpReceiver()
    await using broker = await startGrpcBroker({
      ...toCollector(collector),
      GRPC_DYNAMIC_METADATA: 'false',
    })
    await check(broker, { traceparent }, new Metadata())
    await broker.server.close()
    const span = collector.spans.find(({ name }) => name === 'check')
    expect(span).toMatchObject({ traceId, parentSpanId: spanId })
    expect(span?.attributes['dex_broker.client']).toBe('caller')
  })
})

describe('sampling', () => {
  test.each([
    ['parentbased_always_on', '00', 0],
    ['parentbased_always_off', '01', 2],
    ['always_off', '01', 0],
    ['always_on', '00', 2],
    ['traceidratio', '01', 0],
  ])('by %s, of a trace with the flags %s', async (sampler, flags, count) => {
    await using collector = await startOtlpReceiver()
    await using broker = await startBroker({
      ...toCollector(collector),
      OTEL_TRACES_SAMPLER: sampler,
      OTEL_TRACES_SAMPLER_ARG: '0',
    })
    await broker.check({ headers: { ...orders, traceparent: `00-${traceId}-${spanId}-${flags}` } })
    await broker.server.close()
    expect(collector.spans).toHaveLength(count)
    if (count === 0) expect(collector.requests).toEqual([])
    // Dex learns what was decided.
    const decided = count > 0 ? '01' : '00'
    expect(contextSentTo(broker.dex)).toMatch(new RegExp(`^00-${traceId}-[\\da-f]{16}-${decided}$`))
  })
})

describe('a collector', () => {
  test('that hangs delays no check, and a stop no longer than SHUTDOWN_TIMEOUT', async () => {
    await using collector = await startOtlpReceiver()
    collector.answer = () => {}
    await using broker = await startBroker({ ...toCollector(collector), SHUTDOWN_TIMEOUT: '300ms' })
    for (let round = 0; round < 600; round++) await broker.check({ headers: orders })
    // A batch is full, and is being sent all the time.
    await until(() => collector.requests.length > 0)
    const answers = await Promise.all([...Array(50)].map(() => broker.check({ headers: orders })))
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200))
    expect(broker.dex.counts.tokenRequests).toBe(1)
    expect(await broker.server.close()).toBe(true)
  })

  test('that is down is logged once, and once more when it works again', async () => {
    await using collector = await startOtlpReceiver()
    let isDown = true
    const works = collector.answer
    collector.answer = (request, response) => {
      if (isDown) response.writeHead(400).end('secret of the collector')
      else works(request, response)
    }
    await using broker = await startBroker(toCollector(collector))
    const fill = async () => {
      const before = collector.requests.length
      for (let round = 0; round < 520; round++) await broker.check({ headers: orders })
      await until(() => collector.requests.length > before, 'a batch')
    }
    await fill()
    await fill()
    const lines = (text: string) => broker.log.filter(({ msg }) => msg === text)
    await until(() => lines('spans cannot be sent and are dropped').length > 0)
    expect(lines('spans are sent again')).toEqual([])
    isDown = false
    await fill()
    await until(() => lines('spans are sent again').length > 0)
    expect(lines('spans cannot be sent and are dropped')).toMatchObject([
      { cause: 400, endpoint: `${collector.url}/v1/traces`, hint: expect.stringContaining('4318') },
    ])
    expect(JSON.stringify(broker.log)).not.toContain('secret of the collector')
  })
})

describe('without the packages of OpenTelemetry', () => {
  /** Lets every import of the SDK fail, as when optional dependencies are not installed. */
  const hook = `import { registerHooks } from 'node:module'
registerHooks({ resolve(name, context, next) {
  if (!/^@opentelemetry.(?:sdk|exporter|resources)/.test(name)) return next(name, context)
  throw Object.assign(new Error('Cannot find package ' + name), { code: 'ERR_MODULE_NOT_FOUND' })
} })`
  const environment = {
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: '127.0.0.1:0',
    DEX_TOKEN_URL: 'https://dex.example.com/token',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}`,
  }

  test('the command works, and says what to install when a collector is set', async () => {
    await using collector = await startOtlpReceiver()
    await using command = runCommand([], { ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
    await command.listening()
    expect(command.stdout).toContain('traces are off: OpenTelemetry is not installed')
    command.kill('SIGTERM')
    expect((await command.end()).code).toBe(0)
  })

  test('the command does not miss them without a collector', async () => {
    await using command = runCommand([], environment)
    await command.listening()
    expect(command.stdout).not.toContain('traces are off')
    command.kill('SIGTERM')
    expect((await command.end()).code).toBe(0)
  })
})

test('the headers and the resource attributes of the environment reach the collector', async () => {
  await using collector = await startOtlpReceiver()
  await using command = runCommand([], {
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: '127.0.0.1:0',
    DEX_TOKEN_URL: 'http://127.0.0.1:1/token',
    ALLOW_UNAUTHENTICATED_CALLERS: 'true',
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=collector-secret',
    OTEL_SERVICE_NAME: 'tokens',
  })
  const { port } = await command.listening()
  await fetch(`http://127.0.0.1:${port}/check`)
  command.kill('SIGTERM')
  expect((await command.end()).code).toBe(0)
  expect(collector.requests).toMatchObject([
    { path: '/v1/traces', headers: { 'x-api-key': 'collector-secret' } },
  ])
  expect(collector.spans).toMatchObject([{ name: 'check', service: 'tokens' }])
  expect(command.output).not.toContain('collector-secret')
})

/** Sends a check through a broker with these variables, and returns the output of the broker. */
async function outputOfCheck(environment: Readonly<Record<string, string>>): Promise<string> {
  await using command = runCommand([], {
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: '127.0.0.1:0',
    DEX_TOKEN_URL: 'http://127.0.0.1:1/token',
    ...environment,
  })
  const { port } = await command.listening()
  await fetch(`http://127.0.0.1:${port}/check`)
  command.kill('SIGTERM')
  expect((await command.end()).code).toBe(0)
  return command.output
}

test('OTEL_SDK_DISABLED turns traces off, and says nothing of the other variables', async () => {
  await using collector = await startOtlpReceiver()
  const output = await outputOfCheck({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_SDK_DISABLED: 'true',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  })
  expect(collector.requests).toEqual([])
  expect(output).not.toContain('OTEL_BSP_SCHEDULE_DELAY')
})

test('the variables of the exporter for traces alone are honoured, and the broker warns of those that are not', async () => {
  await using collector = await startOtlpReceiver()
  const output = await outputOfCheck({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1/v1/traces',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-api-key=for-traces',
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'gzip',
  })
  expect(collector.requests).toMatchObject([
    {
      path: '/v1/traces',
      headers: {
        'x-api-key': 'for-traces',
        'content-encoding': 'gzip',
        'content-type': 'application/x-protobuf',
      },
    },
  ])
  expect(collector.spans).toMatchObject([{ name: 'check' }])
  expect(output).toContain('OTEL_EXPORTER_OTLP_PROTOCOL is \\"grpc\\", and the broker sends http/protobuf')
  expect(output).toContain('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT has no effect')
})
