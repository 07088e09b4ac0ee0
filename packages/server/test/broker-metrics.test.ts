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
  expect(text).not.toMatch(/token_request_duration_seconds_count\{|jwks_refreshes_total\{/)
})

test('every outcome of a check has a series from the start, so that an alert sees the first failure', async () => {
  const text = await new BrokerMetrics().registry.metrics()
  expect(text).toContain('dex_token_broker_checks_total{outcome="client_misconfigured",protocol="http"} 0\n')
  expect(text).toContain('dex_token_broker_checks_total{outcome="allow",protocol="http"} 0\n')
})

test('checks are counted by protocol, and a protocol without a listener has no series', async () => {
  const both = new BrokerMetrics(undefined, ['http', 'grpc'])
  const allow: Verdict = { outcome: 'allow', set: {}, remove: [] }
  both.countCheck(allow, 'http')
  both.countCheck(allow, 'grpc')
  both.countCheck(allow, 'grpc')
  both.countCheck(refusalOf(new BrokerError('overloaded', 'busy')), 'grpc')
  const text = await both.registry.metrics()
  expect(text).toContain('dex_token_broker_checks_total{outcome="allow",protocol="http"} 1\n')
  expect(text).toContain('dex_token_broker_checks_total{outcome="allow",protocol="grpc"} 2\n')
  expect(text).toContain('dex_token_broker_checks_total{outcome="overloaded",protocol="grpc"} 1\n')
  expect(text).toContain('dex_token_broker_checks_total{outcome="overloaded",protocol="http"} 0\n')
  expect(await new BrokerMetrics().registry.metrics()).not.toContain('protocol="grpc"')
})
