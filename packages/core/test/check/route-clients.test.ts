import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CheckFacts } from '../../src/check/check-facts.ts'
import type { CheckRequest } from '../../src/check/check-request.ts'
import type { Verdict } from '../../src/check/verdict.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { type BrokerWithDex, billing, caughtUp, orders, startBrokerWithDex } from '../broker-with-dex.ts'

const own = ['x-client-id', 'billing', 'x-client-secret', 'billing-secret']

function startRouted(options: Partial<TokenBrokerOptions> = {}): Promise<BrokerWithDex> {
  return startBrokerWithDex(
    {
      client: { ...orders, scope: 'openid' },
      clients: { reports: { ...orders, scope: 'groups' }, invoices: billing },
      routeClients: true,
      ...options,
    },
    {
      clients: [
        { id: 'orders', secret: 'orders-secret', groups: ['shop'], trustedPeers: ['billing'] },
        { id: 'billing', secret: 'billing-secret', trustedPeers: ['orders'] },
      ],
    },
  )
}

function check(
  { broker }: BrokerWithDex,
  context: CheckRequest['context'],
  headers: readonly string[] = [],
): Promise<Verdict> {
  return broker.check({ headers, context })
}

/** The client id and the scope of the last token request. */
function lastRequest({ dex }: BrokerWithDex) {
  const request = dex.tokenRequests.at(-1)
  const encoded = request?.headers.authorization?.slice('Basic '.length) ?? ''
  const [clientId] = Buffer.from(encoded, 'base64').toString().split(':')
  return [clientId, request?.form['scope']]
}

describe('the client of a route', () => {
  test('is the one that its context names, with its scope and audiences', async () => {
    await using running = await startRouted()
    const expected = [
      [{ client: 'invoices' }, ['billing', undefined]],
      [{ client: 'reports' }, ['orders', 'groups']],
      [{ client: 'reports', scope: 'openid email' }, ['orders', 'openid email']],
      [{ client: 'reports', audiences: 'billing' }, ['orders', 'groups audience:server:client_id:billing']],
      [
        { client: 'invoices', scope: 'groups', audiences: ' billing, orders ' },
        ['billing', 'groups audience:server:client_id:billing audience:server:client_id:orders'],
      ],
      [{ client: 'default' }, ['orders', 'openid']],
      [{ scope: 'email' }, ['orders', 'email']],
      [{ audiences: 'billing' }, ['orders', 'openid audience:server:client_id:billing']],
    ] as const
    for (const [context, [clientId, scope]] of expected) {
      expect(await check(running, context)).toMatchObject({ outcome: 'allow' })
      const [sentId, sentScope] = lastRequest(running)
      expect([context, sentId, sentScope?.split(' ').toSorted()]).toEqual([
        context,
        clientId,
        scope?.split(' ').toSorted(),
      ])
    }
    expect(running.dex.counts.tokenRequests).toBe(expected.length)
  })

  test('has one cached token for each choice, and facts with its name', async () => {
    await using running = await startRouted()
    const contexts = [{ client: 'invoices' }, { client: 'reports' }, { client: 'reports', scope: 'email' }]
    const first = []
    for (const context of contexts) first.push(await check(running, context))
    for (const [index, context] of contexts.entries()) {
      const facts: CheckFacts = {}
      expect(running.broker.decide({ headers: [], context, facts })).toBe(first[index])
      expect(facts).toMatchObject({ client: context.client, cache: 'hit' })
    }
    expect(running.dex.counts.tokenRequests).toBe(3)
  })

  test('is the default one without the keys, and where they are empty', async () => {
    await using running = await startRouted()
    const verdict = await check(running, undefined)
    expect(lastRequest(running)).toEqual(['orders', 'openid'])
    for (const context of [
      {},
      { tier: 'gold' },
      { client: '', scope: '', audiences: '' },
      { audiences: ' , ' },
    ]) {
      expect(running.broker.decide({ headers: [], context })).toBe(verdict)
    }
  })

  test("brings only what the caller's own credentials lack, where no client is configured", async () => {
    await using running = await startRouted({ client: undefined })
    expect(await check(running, {}, own)).toMatchObject({ outcome: 'allow' })
    const withScope = [...own, 'x-scope', 'groups']
    expect(await check(running, { scope: 'email' }, withScope)).toMatchObject({ outcome: 'allow' })
    expect(lastRequest(running)).toEqual(['billing', 'email'])
    expect(await check(running, { scope: 'email' })).toMatchObject({ code: 'missing_credentials' })
  })

  test('that does not exist is an error, and never a token of another client', async () => {
    await using running = await startRouted()
    await check(running, {})
    for (const context of [
      { client: 'nobody' },
      { client: 'caller' },
      { client: 'Invoices' },
      { client: ' invoices' },
      { client: '__proto__' },
      { client: 'invoices', scope: 'a\tb' },
      { client: 'default', scope: 'ä' },
      { client: 'invoices', audiences: 'bad"name' },
      { scope: 'x'.repeat(1_025) },
      { client: ['invoices'] },
      { client: null },
      new Map([['client', 'invoices']]),
    ]) {
      const verdict = await check(running, context as never)
      expect([context, verdict]).toEqual([
        context,
        expect.objectContaining({ outcome: 'error', code: 'server_error', status: 500 }),
      ])
    }
    await caughtUp(running.dex)
    expect(running.dex.counts.tokenRequests).toBe(1)
    const lines = running.log.lines.filter(({ message }) => message.includes('no usable client'))
    expect(lines.map(({ level, fields }) => [level, fields['problem']])).toEqual([
      ['error', 'the client "nobody" does not exist'],
    ])
  })

  test('whose scope Dex refuses is an error too', async () => {
    await using running = await startRouted()
    expect(await check(running, { client: 'invoices', scope: 'a"b' })).toMatchObject({
      code: 'client_misconfigured',
      status: 502,
    })
  })

  test('is not chosen without the option, or where rules decide', async () => {
    await using off = await startRouted({ routeClients: false })
    await check(off, { client: 'invoices', scope: 'email' })
    expect(lastRequest(off)).toEqual(['orders', 'openid'])
    await using ruled = await startRouted({ chooseClient: () => ({ client: 'reports' }) })
    await check(ruled, { client: 'invoices' })
    expect(lastRequest(ruled)).toEqual(['orders', 'groups'])
  })

  test('is only for callers that the gate admits', async () => {
    await using running = await startBrokerWithDex(dex => ({
      clients: { invoices: billing },
      gate: { jwksUri: dex.jwksUri },
      routeClients: true,
    }))
    expect(await check(running, { client: 'invoices' })).toMatchObject({ code: 'invalid_token' })
    const jwt = running.dex.signJwt({ sub: 'alice', exp: running.clock.wall() / 1000 + 60 })
    const headers = ['authorization', jwt]
    expect(await check(running, { client: 'invoices' }, headers)).toMatchObject({ outcome: 'allow' })
    expect(await check(running, {}, headers)).toMatchObject({ code: 'missing_credentials' })
  })

  test('is exactly the named one or an error, whatever the context holds', async () => {
    await using running = await startRouted()
    const keys = fc.constantFrom('client', 'scope', 'audiences', 'tier', '__proto__', 'constructor')
    const values = fc.oneof(
      fc.constantFrom('invoices', 'reports', 'default', '', 'openid', 'billing', 'orders billing'),
      fc.string({ maxLength: 8 }),
    )
    const contexts = fc.array(fc.tuple(keys, values), { maxLength: 4 }).map(Object.fromEntries)
    await fc.assert(
      fc.asyncProperty(contexts, async (context: Record<string, string>) => {
        const facts: CheckFacts = {}
        const verdict = await running.broker.check({ headers: [], context, facts })
        const named = (Object.hasOwn(context, 'client') && context['client']) || 'default'
        if (verdict.outcome === 'allow') expect(facts.client).toBe(named)
        if (!['invoices', 'reports', 'default'].includes(named)) {
          expect(verdict).toMatchObject({ code: 'server_error' })
        }
      }),
      { numRuns: 200 },
    )
  })
})

test.each(['yes', 1, {}])('routeClients is a boolean, not %j', async routeClients => {
  await expect(startRouted({ routeClients } as never)).rejects.toThrow(/^routeClients/)
})
