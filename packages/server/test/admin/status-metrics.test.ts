import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { freePort, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { describe, expect, test } from 'vitest'
import { version } from '../../src/version.ts'
import { StoreVolume, sealingKey } from '../shared-store/store-volume.ts'
import { type BrokerUnderTest, orders, startBroker } from '../support/start-broker.ts'

const client = { STATIC_CLIENT_ID: 'orders', STATIC_CLIENT_SECRET: 'orders-secret' } as const
const open = { ...client, ALLOW_UNAUTHENTICATED_CALLERS: 'true' } as const

/** The series of one metric, without its prefix: labels and value. */
async function series({ admin }: BrokerUnderTest, name: string): Promise<Record<string, number>> {
  const { body } = await admin('/metrics')
  const lines = body.matchAll(new RegExp(`^dex_token_broker_${name}({[^}]*})? (\\S+)$`, 'gm'))
  return Object.fromEntries([...lines].map(([, labels = '', value]) => [labels, Number(value)]))
}

describe('the metrics of a broker', () => {
  test('name the versions that run', async () => {
    await using broker = await startBroker()
    expect(await series(broker, 'build_info')).toEqual({
      [`{version="${version()}",node="${process.versions.node}"}`]: 1,
    })
  })

  test('tell when the token of a configured client expires, and nothing about clients of callers', async () => {
    await using broker = await startBroker(open, { byManualClock: true, idTokensMs: 600_000 })
    expect(await series(broker, 'client_token_expires_in_seconds')).toEqual({})
    await broker.check()
    await broker.check({ headers: { ...orders, 'x-client-id': 'intruder' } })
    broker.clock.advance(100_000)
    expect(await series(broker, 'client_token_expires_in_seconds')).toEqual({ '{client="default"}': 499 })
    expect(await series(broker, 'client_failing')).toEqual({ '{client="default"}': 0 })
    expect((await broker.admin('/metrics')).body).not.toContain('intruder')
  })

  test('tell that a configured client fails, until its next token', async () => {
    await using broker = await startBroker({ ...open, NEGATIVE_CACHE_TTL: '1ms' }, { byManualClock: true })
    broker.dex.setClientSecret('orders', 'rotated')
    expect((await broker.check()).status).toBe(502)
    expect(await series(broker, 'client_failing')).toEqual({ '{client="default"}': 1 })
    broker.dex.setClientSecret('orders', 'orders-secret')
    broker.clock.advance(1_000)
    expect((await broker.check()).status).toBe(200)
    expect(await series(broker, 'client_failing')).toEqual({ '{client="default"}': 0 })
  })

  test('tell which circuits are open', async () => {
    await using broker = await startBroker({}, { byManualClock: true })
    broker.dex.setFault('token', { kind: 'reset' })
    const other = { 'x-client-id': 'billing', 'x-client-secret': 'billing-secret' }
    await Promise.all([broker.check({ headers: orders }), broker.check({ headers: other })])
    expect(await series(broker, 'circuit_open')).toEqual({
      '{issuer="own dex",clients="accepted"}': 0,
      '{issuer="own dex",clients="unknown"}': 1,
      '{issuer="own dex",clients="exchange"}': 0,
    })
    broker.dex.clearFaults()
    broker.clock.advance(1_000)
    expect((await broker.check({ headers: orders })).status).toBe(200)
    expect(Object.values(await series(broker, 'circuit_open'))).toEqual([0, 0, 0])
  })

  test('tell whether the circuit of the shared store is open, and nothing without a store', async () => {
    await using without = await startBroker()
    expect(await series(without, 'shared_store_circuit_open')).toEqual({})
    using volume = new StoreVolume([sealingKey()])
    const address = `redis://127.0.0.1:${await freePort()}`
    await using broker = await startBroker({ ...volume.environment(address), CACHE_MAX_ENTRIES: '0' })
    expect(await series(broker, 'shared_store_circuit_open')).toEqual({ '': 0 })
    await until(async () => {
      await broker.check({ headers: orders })
      return (await series(broker, 'shared_store_circuit_open'))[''] === 1
    }, 'an open circuit')
  })

  test('tell how old a key set is, and how far the clocks are apart', async () => {
    await using broker = await startBroker(
      ({ issuer }) => ({ ...client, DEX_TOKEN_URL: '', DEX_ISSUER: issuer, JWT_AUDIENCE: 'orders' }),
      { byManualClock: true },
    )
    await until(async () => (await broker.admin('/readyz')).status === 200, 'keys')
    broker.clock.advance(60_000)
    expect(await series(broker, 'key_set_age_seconds')).toEqual({ '{issuer="own dex"}': 60 })
    expect(await series(broker, 'clock_skew_seconds')).toEqual({ '{issuer="own dex"}': 0 })
  })

  test('tell how many checks wait, and for how many tokens', async () => {
    await using broker = await startBroker()
    broker.dex.setFault('token', { kind: 'hang' })
    const waiting = Promise.allSettled([1, 2, 3].map(() => broker.check({ headers: orders })))
    await until(async () => (await series(broker, 'waiting_callers'))[''] === 3, 'three waiting checks')
    expect(await series(broker, 'tokens_in_flight')).toEqual({ '': 1 })
    expect(await series(broker, 'token_requests_running')).toEqual({ '{issuer="own dex"}': 1 })
    expect(await series(broker, 'token_requests_waiting')).toEqual({ '{issuer="own dex"}': 0 })
    await broker.server.close()
    await waiting
  })

  test('count each check in one bucket of its outcome', async () => {
    await using broker = await startBroker()
    await broker.check({ headers: orders })
    await broker.check({ headers: orders })
    await broker.check()
    broker.dex.setFault('token', { kind: 'slow', delayMs: 30 })
    await broker.check({
      headers: { ...orders, 'x-client-id': 'billing', 'x-client-secret': 'billing-secret' },
    })
    const counts = await series(broker, 'check_duration_seconds_count')
    expect(counts).toEqual({
      '{outcome="allow",protocol="http"}': 3,
      '{outcome="refused",protocol="http"}': 1,
      '{outcome="failed",protocol="http"}': 0,
    })
    const buckets = await series(broker, 'check_duration_seconds_bucket')
    const allowed = Object.entries(buckets).filter(([labels]) => labels.includes('outcome="allow"'))
    const values = allowed.map(([, value]) => value)
    expect(values).toEqual(values.toSorted((a, b) => a - b))
    // The slow one took 30 ms at least, and the cached one was a check as well.
    expect(buckets['{le="0.025",outcome="allow",protocol="http"}']).toBeLessThanOrEqual(2)
    expect(buckets['{le="+Inf",outcome="allow",protocol="http"}']).toBe(3)
    const sums = await series(broker, 'check_duration_seconds_sum')
    expect(sums['{outcome="allow",protocol="http"}']).toBeGreaterThan(0.03)
  })

  test('include the lag of the event loop', async () => {
    await using broker = await startBroker()
    expect((await broker.admin('/metrics')).body).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m)
  })

  const promtool = process.env['PROMTOOL_BIN'] ?? ''
  test('are what promtool accepts', needs({ PROMTOOL_BIN: promtool !== '' }), async () => {
    await using broker = await startBroker(({ issuer }) => ({
      ...client,
      DEX_ISSUER: issuer,
      DEX_TOKEN_URL: '',
      JWT_AUDIENCE: 'orders',
    }))
    await broker.check({ headers: orders })
    await until(async () => (await broker.admin('/readyz')).status === 200, 'keys')
    const { body } = await broker.admin('/metrics')
    const check = spawn(promtool, ['check', 'metrics'], { stdio: ['pipe', 'ignore', 'pipe'] })
    let findings = ''
    check.stderr.on('data', text => {
      findings += text
    })
    check.stdin.end(body)
    const [code] = await once(check, 'close')
    expect({ code, findings }).toEqual({ code: 0, findings: '' })
  })
})
