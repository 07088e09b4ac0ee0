import { AsyncLocalStorage } from 'node:async_hooks'
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { afterEach, expect, test } from 'vitest'
import { openTelemetryTracer } from '../../src/opentelemetry/index.ts'
import { failureOf, orders, startBrokerWithDex } from '../broker-with-dex.ts'

const parent = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceFlags: 1, traceState: 'vendor=1' }

function provide(ratio = 1) {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  })
  return { provider, spans: () => exporter.getFinishedSpans() }
}

/** The smallest manager of a context that follows promises. */
function followContext(): void {
  const storage = new AsyncLocalStorage<typeof ROOT_CONTEXT>()
  const manager: Parameters<typeof context.setGlobalContextManager>[0] = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, call, self, ...args) => storage.run(active, () => call.apply(self, args)),
    bind: (_, target) => target,
    enable: () => manager,
    disable: () => manager,
  }
  context.setGlobalContextManager(manager)
}

afterEach(() => {
  context.disable()
  trace.disable()
})

test('spans keep their kind, parent, state, links, attributes and failure', async () => {
  const { provider, spans } = provide()
  const tracer = openTelemetryTracer(provider)
  const check = tracer.start({ name: 'check', kind: 'server', attributes: { one: 1 }, parent })
  const request = tracer.start({
    name: 'token request',
    kind: 'client',
    attributes: {},
    parent: check.context,
  })
  request.setAttributes({ two: 'second' })
  request.addLink(parent)
  request.end('token_endpoint_unavailable')
  check.end()
  const [child, root] = spans()
  expect(root).toMatchObject({
    name: 'check',
    kind: SpanKind.SERVER,
    attributes: { one: 1 },
    parentSpanContext: { traceId: parent.traceId, spanId: parent.spanId, isRemote: true },
    status: { code: SpanStatusCode.UNSET },
  })
  expect(child).toMatchObject({
    name: 'token request',
    kind: SpanKind.CLIENT,
    attributes: { two: 'second', 'error.type': 'token_endpoint_unavailable' },
    parentSpanContext: { spanId: check.context.spanId, isRemote: false },
    links: [{ context: { spanId: parent.spanId } }],
    status: { code: SpanStatusCode.ERROR },
  })
  expect(request.context).toMatchObject({ traceId: parent.traceId, traceFlags: 1, traceState: 'vendor=1' })
})

test('a token request belongs to the active span of the caller that starts it', async () => {
  followContext()
  const { provider, spans } = provide()
  trace.setGlobalTracerProvider(provider)
  await using running = await startBrokerWithDex({ tracer: openTelemetryTracer(), client: orders })
  const tracer = trace.getTracer('the application')
  const own = await tracer.startActiveSpan('order', async span => {
    await running.broker.getToken()
    span.end()
    return span.spanContext()
  })
  const request = spans().find(({ name }) => name === 'token request')
  expect(request?.parentSpanContext).toMatchObject({ traceId: own.traceId, spanId: own.spanId })
  const { traceId, spanId } = request?.spanContext() ?? {}
  expect(running.dex.tokenRequests[0]?.headers['traceparent']).toBe(`00-${traceId}-${spanId}-01`)
})

test('a provider that is registered after the tracer was made is used', () => {
  const tracer = openTelemetryTracer()
  const { provider, spans } = provide()
  trace.setGlobalTracerProvider(provider)
  tracer.start({ name: 'check', kind: 'server', attributes: {} }).end()
  expect(spans()).toHaveLength(1)
})

test('without an SDK the context of the parent reaches Dex, and without a parent none does', async () => {
  await using running = await startBrokerWithDex({ tracer: openTelemetryTracer(), client: orders })
  const span = openTelemetryTracer().start({ name: 'check', kind: 'server', attributes: {}, parent })
  await running.broker.getToken({ span })
  await running.broker.getToken({ scope: 'groups' })
  const [first, second] = running.dex.tokenRequests
  expect(first?.headers).toMatchObject({
    traceparent: `00-${parent.traceId}-${parent.spanId}-01`,
    tracestate: 'vendor=1',
  })
  expect(second?.headers).not.toHaveProperty('traceparent')
})

test('a trace that is not sampled sends no span, and Dex learns that it is not', async () => {
  const { provider, spans } = provide(0)
  const tracer = openTelemetryTracer(provider)
  await using running = await startBrokerWithDex({ tracer, client: orders })
  await running.broker.getToken()
  expect(running.dex.tokenRequests[0]?.headers['traceparent']).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/)
  await failureOf(running.broker.getToken({ ...orders, clientSecret: 'wrong' }))
  expect(spans()).toEqual([])
})
