import { describe, expect, test } from 'vitest'
import { failureOf, orders, startBrokerWithDex } from '../broker-with-dex.ts'

describe('a token request', () => {
  test.each([
    ['a reset', { kind: 'reset' as const }],
    ['502', { kind: 'html' as const, status: 502 }],
    ['503', { kind: 'html' as const, status: 503 }],
    ['504', { kind: 'html' as const, status: 504 }],
  ])('that Dex never judged (%s) is sent again, twice at most', async (_, fault) => {
    await using running = await startBrokerWithDex({ client: orders, random: () => 0 })
    running.dex.setFault('token', { ...fault, times: 2 })
    await expect(running.broker.getToken()).resolves.toBeDefined()
    expect(running.dex.counts.tokenRequests).toBe(3)
  })

  test.each([
    ['invalid_client', { kind: 'answer' as const, status: 401, body: '{"error":"invalid_client"}' }],
    ['invalid_scope', { kind: 'answer' as const, status: 400, body: '{"error":"invalid_scope"}' }],
    ['server_error', { kind: 'answer' as const, status: 500, body: '{"error":"server_error"}' }],
    ['404', { kind: 'html' as const, status: 404 }],
    ['429', { kind: 'html' as const, status: 429 }],
    [
      '503 with a time to come back',
      { kind: 'answer' as const, status: 503, headers: { 'retry-after': '1' } },
    ],
  ])('that Dex judged (%s) is not sent again', async (_, fault) => {
    await using running = await startBrokerWithDex({ client: orders, random: () => 0 })
    running.dex.setFault('token', fault)
    await failureOf(running.broker.getToken())
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('ends with all its retries at requestTimeoutMs', async () => {
    // Pauses of 495 and 275 ms before the first retry.
    await using running = await startBrokerWithDex({
      client: orders,
      random: () => 0.99,
      requestTimeoutMs: 120,
    })
    await using patient = await startBrokerWithDex({ client: orders, random: () => 0.5 })
    for (const { dex } of [running, patient]) dex.setFault('token', { kind: 'reset' })
    const failing = failureOf(running.broker.getToken())
    const failingLater = failureOf(patient.broker.getToken())
    expect((await failing).code).toBe('token_endpoint_unavailable')
    expect(running.dex.counts.tokenRequests).toBe(1)
    expect(patient.dex.counts.tokenRequests).toBe(1)
    await failingLater
    expect(patient.dex.counts.tokenRequests).toBe(3)
  })

  test('that succeeds late starts its life with the attempt that succeeded', async () => {
    await using running = await startBrokerWithDex({ client: orders, random: () => 0 })
    let attempts = 0
    running.dex.setFault('token', {
      kind: 'rewrite',
      rewrite: answer => {
        if (++attempts === 1) {
          running.clock.advance(10_000)
          return { ...answer, status: 503 }
        }
        return answer
      },
    })
    const asked = running.clock.wall()
    const token = await running.broker.getToken()
    expect(token.expiresAt - asked).toBe(3_599_000 + 10_000)
  })
})
