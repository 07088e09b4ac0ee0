import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TokenBroker } from '@broker/core'
import { openTelemetryTracer } from '@broker/core/opentelemetry'
import {
  AggregationTemporality,
  type DataPoint,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { cacheMetrics, requestMetrics } from './opentelemetry.ts'
import { clientSecret, startOrdersDex } from './orders-dex.ts'

test('metrics and spans of requests to Dex are exported, without a secret', async () => {
  await using dex = await startOrdersDex()
  const { issuer } = dex
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({
    exporter: metricExporter,
    exportIntervalMillis: 600_000,
  })
  const meters = new MeterProvider({ readers: [reader] })
  const spanExporter = new InMemorySpanExporter()
  const traces = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spanExporter })] })
  const meter = meters.getMeter('token-broker')
  const broker = new TokenBroker({
    issuer,
    client: { clientId: 'reports', clientSecret, audiences: ['orders'] },
    gate: { audience: 'orders' },
    observe: requestMetrics(meter),
    tracer: openTelemetryTracer(traces),
  })
  cacheMetrics(broker, meter)

  const { accessToken } = await broker.getToken()
  await broker.getToken()
  await assert.rejects(broker.getToken({ clientId: 'reports', clientSecret: 'wrong' }))
  await assert.rejects(broker.verify('not.a.jwt'))
  await meters.forceFlush()

  const exported = metricExporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
  const points = (name: string) =>
    exported
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints as DataPoint<unknown>[])
  const durations = points('token_broker.request.duration').map(
    ({ attributes }) => `${attributes['type']} ${attributes['outcome']}`,
  )
  for (const name of [
    'discovery discovered',
    'token_request issued',
    'token_request token_request_rejected',
  ]) {
    assert.ok(durations.includes(name), `${name} is not in ${durations}`)
  }
  assert.deepEqual(
    points('token_broker.jwt_refusals').map(({ attributes, value }) => [attributes['reason'], value]),
    [['malformed', 1]],
  )
  assert.deepEqual(
    points('token_broker.cache.hits').map(({ value }) => value),
    [1],
  )
  const spans = spanExporter.getFinishedSpans()
  assert.equal(spans.filter(({ name }) => name === 'token request').length, 2)
  assert.equal(dex.counts.tokenRequests, 2)

  const recorded = JSON.stringify([exported, spans.map(({ name, attributes }) => [name, attributes])])
  for (const secret of [clientSecret, accessToken]) assert.ok(!recorded.includes(secret))
  await broker.close()
  await meters.shutdown()
})
