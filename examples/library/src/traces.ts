// Spans of token requests through OpenTelemetry; a snippet of docs/traces.md.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { startDevDex } from '@broker/dev-dex'
import { type Context, type ContextManager, context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

// The part of your application: an SDK that is registered, here with spans that stay in memory.
const exporter = new InMemorySpanExporter()
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }))
const active = new AsyncLocalStorage<Context>()
const manager: ContextManager = {
  active: () => active.getStore() ?? ROOT_CONTEXT,
  with: (entered, call, self, ...args) => active.run(entered, () => call.apply(self, args)),
  bind: (_, target) => target,
  enable: () => manager,
  disable: () => manager,
}
context.setGlobalContextManager(manager)

const clientSecret = 'reports-secret'
await using dex = await startDevDex({ clients: [{ id: 'reports', secret: clientSecret }] })
const { issuer } = dex

// #region tracer
import { TokenBroker } from '@broker/core'
import { openTelemetryTracer } from '@broker/core/opentelemetry'

const broker = new TokenBroker({
  issuer,
  client: { clientId: 'reports', clientSecret },
  tracer: openTelemetryTracer(),
})
// #endregion tracer
await trace.getTracer('reports').startActiveSpan('report', async span => {
  await broker.getToken()
  span.end()
})
const spans = exporter.getFinishedSpans()
const [report] = spans.filter(({ name }) => name === 'report')
const below = spans
  .filter(({ parentSpanContext }) => parentSpanContext?.spanId === report?.spanContext().spanId)
  .map(({ name }) => name)
assert.deepEqual(below.slice(0, 2), ['discovery', 'token request'])
console.log(`spans below the span of the report: ${below.join(', ')}`)
await broker.close()
