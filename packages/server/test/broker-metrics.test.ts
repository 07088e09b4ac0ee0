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
  expect(text).toContain('dex_token_broker_checks_total{outcome="client_misconfigured"} 0\n')
  expect(text).toContain('dex_token_broker_checks_total{outcome="allow"} 0\n')
})
