import { MemoryTokenStore } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { logContext } from '../../src/shared/log-context.ts'
import { type BrokerWithDex, billing, orders, startBrokerWithDex, until } from '../broker-with-dex.ts'
import { ManualClock } from '../manual-clock.ts'

const own = ['x-client-id', 'billing', 'x-client-secret', 'billing-secret']

/** A check with an id. */
function check(running: BrokerWithDex, id: string, headers: readonly string[] = own) {
  return running.broker.check({ headers, logFields: { request_id: id } })
}

/** Each line after the others: its message, its check, and what else a test looks at. */
function linesOf({ log }: BrokerWithDex) {
  return log.lines.map(({ message, fields }) => [message, (fields as { request_id?: string }).request_id])
}

function startGated(options: Partial<TokenBrokerOptions> = {}): Promise<BrokerWithDex> {
  return startBrokerWithDex(dex => ({ client: orders, gate: { jwksUri: dex.jwksUri }, ...options }))
}

describe('a line of the log has the fields of the check', () => {
  test('that began the token request; others that share it do not own it', async () => {
    await using running = await startBrokerWithDex()
    const verdicts = await Promise.all(['a', 'b', 'c'].map(id => check(running, id)))
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['allow', 'allow', 'allow'])
    expect(running.dex.counts.tokenRequests).toBe(1)
    expect(linesOf(running)).toEqual([['token issued', 'a']])
  })

  test('whose token request fails', async () => {
    await using running = await startBrokerWithDex()
    await check(running, 'a', ['x-client-id', 'billing', 'x-client-secret', 'wrong'])
    expect(linesOf(running).at(-1)).toEqual([expect.stringMatching(/^token request failed/), 'a'])
  })

  test('that found a token due, for the refresh in the background', async () => {
    await using running = await startBrokerWithDex()
    await check(running, 'a')
    const token = await running.broker.getToken({ clientId: 'billing', clientSecret: 'billing-secret' })
    running.clock.advance((token.expiresAt - running.clock.wall()) * 0.9)
    await check(running, 'b')
    await expect
      .poll(() => linesOf(running))
      .toEqual([
        ['token issued', 'a'],
        ['token issued', 'b'],
      ])
  })

  test('that began to load the key set, and of the check whose JWT is refused after it', async () => {
    await using running = await startGated()
    const exp = running.clock.wall() / 1000
    const jwt = (claims: object) => ['authorization', running.dex.signJwt({ sub: 'alice', ...claims })]
    await Promise.all([
      check(running, 'a', jwt({ exp: exp + 60, n: 1 })),
      check(running, 'b', jwt({ exp: exp + 60, aud: 'other', nbf: exp + 30 })),
    ])
    const lines = linesOf(running)
    expect(lines).toContainEqual(['key set refreshed', 'a'])
    expect(lines).toContainEqual(['token issued', 'a'])
    expect(lines.filter(([message]) => message === 'JWTs refused')).toEqual([['JWTs refused', 'b']])
  })

  test('that was the last one of those that a sampled line counts', async () => {
    const running = await startBrokerWithDex()
    for (const id of ['a', 'b', 'c']) await check(running, id, [])
    // Writes what is held back, in the code of nobody.
    await running[Symbol.asyncDispose]()
    expect(linesOf(running)).toEqual([
      ['requests without client credentials refused', 'a'],
      ['requests without client credentials refused', 'c'],
    ])
  })

  test('that met a shared store that fails, and not when a probe by a timer finds it again', async () => {
    const store = new MemoryTokenStore(new ManualClock()).handle()
    store.fault = 'fail'
    const sharedStore = { store, keys: [Buffer.alloc(32, 1).toString('base64')] }
    await using running = await startBrokerWithDex({ sharedStore, cacheMaxEntries: 0 })
    for (const id of ['a', 'b', 'c']) await check(running, id)
    expect(linesOf(running)).toContainEqual(['shared store is failing; circuit opened', expect.any(String)])
    store.fault = undefined
    // real time: the timer of the probe, whose pause is by the clock
    running.clock.advance(1_000)
    const answers = 'shared store answers again; circuit closed'
    await until(() => linesOf(running).some(([message]) => message === answers))
    expect(linesOf(running)).toContainEqual([answers, undefined])
  })

  test('and a call without a check, or by a timer that a check started, has none', async () => {
    await using running = await startBrokerWithDex({ client: billing })
    await check(running, 'a', [])
    running.broker.invalidate(await running.broker.getToken())
    await running.broker.getToken()
    expect(linesOf(running)).toEqual([
      ['token issued', 'a'],
      ['token dropped: a backend refused it', undefined],
      ['token issued', undefined],
    ])
    const before = logContext.enter({ logFields: { request_id: 'a' } })
    const later = logContext.carry(async () => {
      await Promise.resolve()
      return [logContext.fields, logContext.without(() => logContext.fields)]
    })
    logContext.leave(before)
    expect(logContext.fields).toBeUndefined()
    expect(await later).toEqual([{ request_id: 'a' }, undefined])
  })
})

describe('a refused check', () => {
  const repeated = [...own, 'x-client-secret', 'other']

  test('has a line by reason: the first at once, then one in ten seconds with the number', async () => {
    const running = await startBrokerWithDex()
    const wrongly = [...own.slice(0, 3), 'b\u00e9']
    for (const headers of [repeated, repeated, wrongly, repeated]) {
      expect(await check(running, 'a', headers)).toMatchObject({ status: 400 })
    }
    expect(running.log.lines).toMatchObject(
      [
        { level: 'info', message: 'checks refused', fields: { reason: /once/, count: 1 } },
        { level: 'info', message: 'checks refused', fields: { reason: /invalid characters/, count: 1 } },
      ].map(line => ({
        ...line,
        fields: { ...line.fields, reason: expect.stringMatching(line.fields.reason) },
      })),
    )
    running.clock.advance(10_000)
    await check(running, 'b', repeated)
    expect(running.log.lines.at(-1)).toEqual({
      level: 'info',
      message: 'checks refused',
      fields: {
        request_id: 'b',
        code: 'invalid_request',
        status: 400,
        reason: 'x-client-secret appears more than once',
        count: 3,
        hint: expect.stringContaining("correct the caller's headers"),
      },
    })
    await running[Symbol.asyncDispose]()
  })

  test('because of the open circuit names the configured client and the rule', async () => {
    await using running = await startGated({
      clients: { invoices: billing },
      chooseClient: () => ({ client: 'invoices', rule: 'all' }),
    })
    running.dex.setFault('token', { kind: 'answer', status: 503 })
    const jwt = running.dex.signJwt({ sub: 'alice', exp: running.clock.wall() / 1000 + 600 })
    for (let n = 0; n < 12; n++) await check(running, String(n), ['authorization', jwt])
    const refused = running.log.lines.filter(({ message }) => message === 'checks refused')
    expect(refused[0]?.fields).toMatchObject({
      code: 'overloaded',
      client: 'invoices',
      clientId: 'billing',
      rule: 'all',
      count: 1,
      hint: expect.stringMatching(/^check that Dex is running/),
    })
  })

  test("never shows a caller's client id, and a refusal with a line of its own has no second one", async () => {
    await using running = await startBrokerWithDex({ allowedClientIds: ['orders', 'billing'] })
    for (const headers of [[], ['x-client-id', 'mallory', 'x-client-secret', 'x']])
      await check(running, 'a', headers)
    await check(running, 'a', ['x-client-id', 'billing', 'x-client-secret', 'wrong'])
    expect(running.log.lines.filter(({ message }) => message === 'checks refused')).toEqual([])
    await check(running, 'a', ['x-client-id', 'mallory', 'x-client-id', 'mallory'])
    expect(JSON.stringify(running.log.lines.at(-1))).not.toContain('mallory')
  })
})
