import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver, until } from '@broker/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../harness/client-request.ts'
import { caller, credentials, needsFaults } from '../harness/dex.ts'
import { describeWithEnvoy, useSystem } from '../harness/with-envoy.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const clientSpan = 'b7ad6b7169203331'

describeWithEnvoy('the traces of a request through Envoy, the broker and Dex', () => {
  let collector: OtlpReceiver
  beforeAll(async () => {
    collector = await startOtlpReceiver()
  })
  afterAll(async () => {
    await collector?.[Symbol.asyncDispose]()
  })
  const system = useSystem(() => ({
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    collectorPort: collector.port,
  }))
  const spansOf = (trace: string) => collector.spans.filter(span => span.traceId === trace)
  const of = (spans: readonly ReceivedSpan[], name: string) => spans.filter(span => span.name === name)

  /** The spans from a span up to the one that nobody has received, by their ids. */
  function chain(spans: readonly ReceivedSpan[], from: ReceivedSpan | undefined): ReceivedSpan[] {
    const parent = spans.find(({ spanId }) => spanId === from?.parentSpanId)
    return from === undefined ? [] : [from, ...chain(spans, parent)]
  }

  test('are one trace from the client to Dex', async context => {
    const headers = { ...credentials, traceparent: `00-${traceId}-${clientSpan}-01`, tracestate: 'vendor=1' }
    expect((await ask(system().port(), { target: '/private?key=value', headers })).status).toBe(200)
    await until(() => of(spansOf(traceId), 'token request').length > 0, 'the spans of the broker')
    await until(() => spansOf(traceId).some(span => span.parentSpanId === clientSpan), 'the spans of Envoy')
    const spans = spansOf(traceId)
    const [request] = of(spans, 'token request')
    const up = chain(spans, request)
    // Envoy has a span for the client's request, and one for the check.
    expect(up.map(({ service }) => service)).toEqual([
      'dex-token-broker',
      'dex-token-broker',
      'envoy',
      'envoy',
    ])
    expect(up.map(({ name }) => name).slice(0, 2)).toEqual(['token request', 'check'])
    expect(up.at(-1)).toMatchObject({ kind: 'server', parentSpanId: clientSpan })
    const { lookAlike: dex } = system().dex
    if (dex === undefined) return context.skip(needsFaults)
    expect(dex.tokenRequests.at(-1)?.headers).toMatchObject({
      traceparent: `00-${traceId}-${request?.spanId}-01`,
      tracestate: 'vendor=1',
    })
  })

  test('have one span of the broker when the token is cached', async () => {
    const cached = '1'.repeat(32)
    const headers = { ...credentials, traceparent: `00-${cached}-${clientSpan}-01` }
    expect((await ask(system().port(), { headers })).status).toBe(200)
    const ofBroker = () => spansOf(cached).filter(({ service }) => service === 'dex-token-broker')
    await until(() => ofBroker().length > 0, 'the span of the broker')
    expect(ofBroker()).toMatchObject([{ name: 'check', attributes: { 'dex_broker.outcome': 'hit' } }])
  })

  test('show nothing of the client, its credentials and its token', async () => {
    const { broker } = system()
    const refused = '2'.repeat(32)
    const headers = {
      ...credentials,
      'x-client-secret': 'hostile-secret',
      traceparent: `00-${refused}-${clientSpan}-01`,
      tracestate: `vendor=${'x'.repeat(600)}`,
      baggage: 'user=hostile-user',
    }
    const target = '/hostile-path?hostile=query'
    expect((await ask(system().port(), { target, headers })).status).toBe(401)
    await until(() => of(spansOf(refused), 'check').length > 0, 'the span of the check')
    const ofBroker = collector.spans.filter(({ service }) => service === 'dex-token-broker')
    expect(ofBroker.length).toBeGreaterThan(0)
    const shown = JSON.stringify(ofBroker)
    for (const text of [
      'hostile',
      caller.id,
      caller.secret,
      'openid',
      '/private',
      'eyJ',
      'Basic',
      'Bearer',
    ]) {
      expect(shown).not.toContain(text)
    }
    expect(broker.process.log).not.toContain('spans cannot be sent')
  })
})
