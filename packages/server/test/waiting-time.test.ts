import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { waitingTimeMs } from '../src/waiting-time.ts'
import { orders, startBroker } from './support/start-broker.ts'

const timeoutHeader = 'x-envoy-expected-rq-timeout-ms'

describe('how long a check waits', () => {
  test.each([
    ['200', 180],
    ['100', 80],
    ['75', 55],
    ['70', 50],
    ['20', 50],
    ['1', 50],
    ['500', 450],
    ['1000', 900],
    ['1001', 901],
    ['3000', 2_900],
    ['5100', 5_000],
    ['999999999', 999_999_899],
    ['0', undefined],
    ['000', undefined],
    ['', undefined],
    ['-1', undefined],
    ['+200', undefined],
    ['200.5', undefined],
    ['2e2', undefined],
    ['0x10', undefined],
    ['200ms', undefined],
    [' 200', undefined],
    ['200, 300', undefined],
    ['9'.repeat(400), undefined],
    ['NaN', undefined],
    ['٢٠٠', undefined],
  ])('for Envoy’s %j it is %j ms', (header, waitMs) => {
    expect(waitingTimeMs(header)).toBe(waitMs)
  })

  test('is at least 50 ms, and leaves Envoy 20 to 100 ms where there is room', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999 }), envoyMs => {
        const waitMs = waitingTimeMs(String(envoyMs)) ?? Number.NaN
        expect(waitMs).toBeGreaterThanOrEqual(50)
        if (waitMs === 50) return
        expect(envoyMs - waitMs).toBeGreaterThanOrEqual(20)
        expect(envoyMs - waitMs).toBeLessThanOrEqual(100)
      }),
    )
  })
})

describe('a Dex that is slower than Envoy waits', () => {
  const credentials = orders

  test('does not starve the client for ever: a later check finds the token', async () => {
    await using broker = await startBroker()
    broker.dex.setFault('token', { kind: 'slow', delayMs: 150 })
    const check = () => broker.check({ headers: { ...credentials, [timeoutHeader]: '80' } })
    expect((await check()).status).toBe(503)
    await expect.poll(async () => (await check()).status, { timeout: 5_000 }).toBe(200)
    expect(broker.dex.counts.tokenRequests).toBe(1)
  })

  test('a deadline given twice, or absurdly, is ignored rather than obeyed', async () => {
    await using broker = await startBroker()
    broker.dex.setFault('token', { kind: 'slow', delayMs: 120 })
    const twice = [...Object.entries(credentials), [timeoutHeader, '1'], [timeoutHeader, '1']] as const
    expect((await broker.check({ headers: twice })).status).toBe(200)
    const absurd = { ...credentials, 'x-scope': 'groups', [timeoutHeader]: '1ms' }
    expect((await broker.check({ headers: absurd })).status).toBe(200)
  })
})
