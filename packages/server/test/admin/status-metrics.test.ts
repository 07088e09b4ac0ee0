import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { findPromtool, freePort, promtoolNeed, until } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { addStatusMetrics } from '../../src/admin/status-metrics.ts'
import { version } from '../../src/version.ts'
import { healthy, issuer } from '../page/page-facts.ts'
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

  test('have series of the token endpoint for client certificates', async () => {
    const { tokenEndpoint } = issuer
    const mtlsTokenEndpoint = tokenEndpoint && { ...tokenEndpoint, running: 3, waiting: 4 }
    const status = {
      ...healthy.broker,
      issuers: [{ ...issuer, name: 'corp', ...(mtlsTokenEndpoint && { mtlsTokenEndpoint }) }],
    }
    const registry = new Registry()
    addStatusMetrics(registry, '', () => status as never)
    const text = await registry.metrics()
    expect(text).toContain('token_requests_running{issuer="corp mtls"} 3')
    expect(text).toContain('token_requests_waiting{issuer="corp mtls"} 4')
    expect(text).toContain('circuit_open{issuer="corp mtls",clients="accepted"} 0')
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

  test('have every counter from the start, so that an increase shows the first failure too', async () => {
    await using broker = await startBroker(
      ({ issuer }) => ({ ...client, DEX_TOKEN_URL: '', DEX_ISSUER: issuer, JWT_AUDIENCE: 'orders' }),
      { byManualClock: true },
    )
    const counters = async () => {
      const { body } = await broker.admin('/metrics')
      return [...body.matchAll(/^(dex_token_broker_\w+(?:_total|_count)(?:{[^}]*})?) /gm)].map(
        ([, name]) => name,
      )
    }
    const atStart = await counters()
    await until(async () => (await broker.admin('/readyz')).status === 200, 'keys')
    broker.dex.setFault('token', { kind: 'reset' })
    expect((await broker.check({ headers: jwtOf(broker) })).status).toBe(503)
    broker.dex.clearFaults()
    broker.dex.setClientSecret('orders', 'rotated')
    broker.clock.advance(10_000)
    expect((await broker.check({ headers: jwtOf(broker) })).status).toBe(502)
    await broker.check()
    await broker.check({ target: '/elsewhere' })
    const requests = await series(broker, 'token_request_duration_seconds_count')
    expect(requests['{outcome="token_endpoint_unavailable"}']).toBeGreaterThan(0)
    expect(requests['{outcome="client_misconfigured"}']).toBe(1)
    expect(await series(broker, 'jwt_refusals_total')).toMatchObject({ '{reason="missing"}': 1 })
    expect(await series(broker, 'unknown_requests_total')).toEqual({ '': 1 })
    expect(await counters()).toEqual(atStart)
  })

  test('tell that a discovery document or a key set cannot be read, until it can', async () => {
    await using broker = await startBroker(
      dex => {
        dex.setFault('discovery', { kind: 'reset' })
        const { issuer } = dex
        return { ...client, DEX_TOKEN_URL: '', DEX_ISSUER: issuer, JWT_AUDIENCE: 'orders' }
      },
      { byManualClock: true },
    )
    const failing = async (what: string) => Object.values(await series(broker, `${what}_failing`))
    await until(async () => (await failing('discovery'))[0] === 1, 'a failed discovery')
    broker.dex.clearFaults()
    broker.dex.setFault('keys', { kind: 'reset' })
    /** Lets each pause after a failure pass. */
    const retriedUntil = (what: string, value: number) =>
      until(async () => {
        broker.clock.advance(15_000)
        await broker.admin('/readyz')
        return (await failing(what))[0] === value
      }, `${what}_failing ${value}`)
    await retriedUntil('discovery', 0)
    await retriedUntil('key_set', 1)
    broker.dex.clearFaults()
    await retriedUntil('key_set', 0)
    expect(await series(broker, 'key_set_failing')).toEqual({ '{issuer="own dex"}': 0 })
  })

  test('are what promtool accepts', needs(promtoolNeed()), async () => {
    await using broker = await startBroker(({ issuer }) => ({
      ...client,
      DEX_ISSUER: issuer,
      DEX_TOKEN_URL: '',
      JWT_AUDIENCE: 'orders',
    }))
    await broker.check({ headers: orders })
    await until(async () => (await broker.admin('/readyz')).status === 200, 'keys')
    const { body } = await broker.admin('/metrics')
    const check = spawn(findPromtool() ?? '', ['check', 'metrics'], { stdio: ['pipe', 'ignore', 'pipe'] })
    let findings = ''
    check.stderr.on('data', text => {
      findings += text
    })
    check.stdin.end(body)
    const [code] = await once(check, 'close')
    expect({ code, findings }).toEqual({ code: 0, findings: '' })
  })
})

/** A JWT of Dex that the gate accepts. */
function jwtOf({ dex, clock }: BrokerUnderTest): Record<string, string> {
  const exp = Math.floor(clock.wall() / 1000) + 600
  return { authorization: `Bearer ${dex.signJwt({ iss: dex.issuer, aud: 'orders', exp })}` }
}
