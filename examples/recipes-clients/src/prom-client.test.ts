import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TokenBroker } from '@broker/core'
import { Registry } from 'prom-client'
import { clientSecret, startOrdersDex } from './orders-dex.ts'
import { cacheMetrics, requestMetrics } from './prom-client.ts'

test('the registry counts requests to Dex, refused JWTs and cached tokens', async () => {
  await using dex = await startOrdersDex()
  const { issuer } = dex
  // #region use
  const registry = new Registry()
  await using broker = new TokenBroker({
    issuer,
    client: { clientId: 'reports', clientSecret, audiences: ['orders'] },
    gate: { audience: 'orders' },
    observe: requestMetrics(registry),
  })
  cacheMetrics(registry, broker)
  // #endregion use
  const { accessToken } = await broker.getToken()
  await broker.getToken()
  await broker.getToken()
  await assert.rejects(broker.getToken({ clientId: 'reports', clientSecret: 'wrong' }))
  await assert.rejects(broker.verify(dex.signJwt({ iss: issuer, aud: 'other', sub: 'alice', exp: 4e9 })))

  const text = await registry.metrics()
  const expected = [
    'token_broker_request_duration_seconds_count{type="token_request",outcome="issued"} 1',
    'token_broker_request_duration_seconds_count{type="token_request",outcome="token_request_rejected"} 1',
    'token_broker_request_duration_seconds_count{type="discovery",outcome="discovered"} 1',
    'token_broker_jwt_refusals_total{reason="audience"} 1',
    'token_broker_cache_hits_total 2',
    'token_broker_cache_entries 1',
  ]
  for (const line of expected) assert.ok(text.split('\n').includes(line), `${line} is missing in\n${text}`)
  assert.equal(await registry.metrics(), text)
  for (const secret of [clientSecret, accessToken]) assert.ok(!text.includes(secret))
  assert.equal(dex.counts.tokenRequests, 2)
})
