import { BrokerError, refusalOf, type Verdict } from '@broker/core'
import { expect, test } from 'vitest'
import { BrokerMetrics } from '../src/admin/broker-metrics.ts'

test('refused JWTs are counted by their reason, and as no request to Dex', async () => {
  const metrics = new BrokerMetrics()
  for (const reason of ['expired', 'audience', 'expired'] as const)
    metrics.observe({ type: 'jwt_refusal', reason })
  const text = await metrics.registry.metrics()
  expect(text).toContain('dex_token_broker_jwt_refusals_total{reason="expired"} 2\n')
  expect(text).toContain('dex_token_broker_jwt_refusals_total{reason="audience"} 1\n')
  expect(text).not.toMatch(/(?:token_request_duration_seconds_count|jwks_refreshes_total)\{.*\} [1-9]/)
})

test('calls of the shared store are counted by operation and outcome, and as no request to Dex', async () => {
  const metrics = new BrokerMetrics()
  const outcomes = ['leased', 'record', 'record'] as const
  for (const outcome of outcomes) {
    metrics.observe({ type: 'shared_store', operation: 'lease', outcome, durationMs: 1 })
  }
  metrics.observe({ type: 'shared_store', operation: 'get', outcome: 'record', durationMs: 1 })
  const text = await metrics.registry.metrics()
  expect(text).toContain('shared_store_operations_total{operation="lease",outcome="leased"} 1\n')
  expect(text).toContain('shared_store_operations_total{operation="lease",outcome="record"} 2\n')
  expect(text).toContain('shared_store_operations_total{operation="get",outcome="record"} 1\n')
  expect(text).not.toMatch(/token_request_duration_seconds_count\{.*\} [1-9]/)
})

test('every outcome of a check has a series from the start, so that an alert sees the first failure', async () => {
  const text = await new BrokerMetrics().registry.metrics()
  expect(text).toContain('dex_token_broker_checks_total{outcome="client_misconfigured",protocol="http"} 0\n')
  expect(text).toContain('dex_token_broker_checks_total{outcome="allow",protocol="http"} 0\n')
})

test('checks are counted by protocol, and a protocol without a listener has no series', async () => {
  const both = new BrokerMetrics(undefined, ['http', 'grpc'])
  const allow: Verdict = { outcome: 'allow', set: {}, remove: [] }
  both.countCheck(allow, 'http', 1)
  both.countCheck(allow, 'grpc', 1)
  both.countCheck(allow, 'grpc', 1)
  both.countCheck(refusalOf(new BrokerError('overloaded', 'busy')), 'grpc', 1)
  const text = await both.registry.metrics()
  expect(text).toContain('dex_token_broker_checks_total{outcome="allow",protocol="http"} 1\n')
  expect(text).toContain('dex_token_broker_checks_total{outcome="allow",protocol="grpc"} 2\n')
  expect(text).toContain('dex_token_broker_checks_total{outcome="overloaded",protocol="grpc"} 1\n')
  expect(text).toContain('dex_token_broker_checks_total{outcome="overloaded",protocol="http"} 0\n')
  expect(await new BrokerMetrics().registry.metrics()).not.toContain('protocol="grpc"')
})
