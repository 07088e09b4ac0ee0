import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { caughtUp, orders, startBrokerWithDex } from '../broker-with-dex.ts'

const credentials = ['x-client-id', 'orders', 'x-client-secret', 'orders-secret']

describe('credentials in headers', () => {
  test.each([
    ['X-Client-Id', 'X-CLIENT-SECRET', 'x-ScOpE'],
    ['x-client-id', 'x-client-secret', 'x-scope'],
  ])('are read in any case: %s', async (id, secret, scope) => {
    await using running = await startBrokerWithDex()
    const verdict = await running.broker.check({
      headers: [id, 'orders', secret, 'orders-secret', scope, 'groups', 'x-other', '1'],
    })
    expect(verdict.outcome).toBe('allow')
    expect(running.dex.tokenRequests[0]?.form['scope']).toBe('groups')
  })

  test('are read from the headers that are configured, and from no others', async () => {
    await using running = await startBrokerWithDex({
      credentialHeaders: { clientId: 'X-Id', clientSecret: 'X-Secret', scope: 'X-Wanted' },
    })
    const named = ['x-id', 'orders', 'x-secret', 'orders-secret', 'x-wanted', 'groups']
    expect(await running.broker.check({ headers: named })).toMatchObject({ outcome: 'allow' })
    expect(await running.broker.check({ headers: credentials })).toMatchObject({
      code: 'missing_credentials',
    })
  })

  test('id and scope are trimmed, the secret is taken as it is', async () => {
    await using running = await startBrokerWithDex({}, { clients: [{ id: 'orders', secret: ' s, 1 ' }] })
    const verdict = await running.broker.check({
      headers: ['x-client-id', '  orders ', 'x-client-secret', ' s, 1 ', 'x-scope', '  groups  '],
    })
    expect(verdict.outcome).toBe('allow')
    expect(running.dex.tokenRequests[0]?.form['scope']).toBe('groups')
  })

  test.each([
    [[], 'x-client-id and x-client-secret are missing'],
    [['x-client-id', 'orders'], 'x-client-secret is missing'],
    [['x-client-secret', 'orders-secret'], 'x-client-id is missing'],
    [['x-client-id', '', 'x-client-secret', 'orders-secret'], 'x-client-id is missing'],
    [['x-client-id', '   ', 'x-client-secret', 'orders-secret'], 'x-client-id is missing'],
    [['x-client-id', 'orders', 'x-client-secret', ''], 'x-client-secret is missing'],
  ])('%j are missing credentials: 401 with a challenge that says no error', async (headers, missing) => {
    await using running = await startBrokerWithDex()
    expect(await running.broker.check({ headers })).toEqual({
      outcome: 'deny',
      code: 'missing_credentials',
      status: 401,
      headers: {
        'cache-control': 'no-store',
        'content-type': 'application/json',
        'www-authenticate': 'Bearer realm="dex-token-broker"',
      },
      body: `{"error":"missing_credentials","error_description":"${missing}"}`,
    })
    await caughtUp(running.dex)
    expect(running.dex.counts.tokenRequests).toBe(0)
  })

  test.each(['x-client-id', 'x-client-secret', 'x-scope'])(
    '%s on two lines is 400, even with equal values',
    async name => {
      await using running = await startBrokerWithDex()
      const value = credentials[credentials.indexOf(name) + 1] ?? 'groups'
      for (const second of [value, '', 'other']) {
        const headers = [...credentials, 'x-scope', 'groups', name.toUpperCase(), second]
        const verdict = await running.broker.check({ headers })
        expect(verdict).toMatchObject({ outcome: 'deny', status: 400, code: 'invalid_request' })
      }
      await caughtUp(running.dex)
      expect(running.dex.counts.tokenRequests).toBe(0)
    },
  )

  test('a repeated header that does not count changes nothing', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const headers = [
      'x-client-id',
      'a',
      'x-client-id',
      'b',
      'x-client-secret',
      'é',
      'x-other',
      '1',
      'x-other',
      '2',
    ]
    expect(await running.broker.check({ headers })).toMatchObject({ outcome: 'allow' })
  })

  test.each([
    ['x-client-id', 256],
    ['x-client-secret', 4096],
    ['x-scope', 1024],
  ])('%s may have %i characters and not one more', async (name, longest) => {
    await using running = await startBrokerWithDex()
    const withValue = (value: string) => {
      const rest = ['x-client-id', 'orders', 'x-client-secret', 's', 'x-scope', 'groups']
      rest[rest.indexOf(name) + 1] = value
      return running.broker.check({ headers: rest })
    }
    expect(await withValue('x'.repeat(longest))).toMatchObject({ code: 'token_request_rejected' })
    expect(await withValue('x'.repeat(longest + 1))).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(await withValue('x'.repeat(60_000))).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test.each(['x-client-id', 'x-client-secret', 'x-scope'])(
    'a character outside %%x20-7E in %s is 400, whichever it is',
    async name => {
      await using running = await startBrokerWithDex()
      const odd = fc.oneof(fc.integer({ min: 0, max: 0x1f }), fc.integer({ min: 0x7f, max: 0xffff }))
      await fc.assert(
        fc.asyncProperty(odd, async code => {
          const rest = [...credentials, 'x-scope', 'groups']
          const at = rest.indexOf(name) + 1
          rest[at] = `a${String.fromCharCode(code)}b`
          expect(await running.broker.check({ headers: rest })).toMatchObject({
            status: 400,
            code: 'invalid_request',
          })
        }),
        { numRuns: 200 },
      )
      await caughtUp(running.dex)
      expect(running.dex.counts.tokenRequests).toBe(0)
    },
  )
})

describe('configured credentials', () => {
  test('win over headers, part by part', async () => {
    await using running = await startBrokerWithDex({ client: { clientId: 'orders', scope: 'groups' } })
    const verdict = await running.broker.check({
      headers: ['x-client-id', 'billing', 'x-client-secret', 'orders-secret', 'x-scope', 'openid'],
    })
    expect(verdict.outcome).toBe('allow')
    const [request] = running.dex.tokenRequests
    expect(request?.form['scope']).toBe('groups')
    expect(request?.headers.authorization).toBe(`Basic ${btoa('orders:orders-secret')}`)
  })

  test('all of them make headers superfluous', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    expect(await running.broker.check({ headers: [] })).toMatchObject({ outcome: 'allow' })
  })

  test('audiences stay even when the caller chooses the scope', async () => {
    await using running = await startBrokerWithDex({ client: { ...orders, audiences: ['billing'] } })
    await running.broker.check({ headers: ['x-scope', 'groups'] })
    expect(running.dex.tokenRequests[0]?.form['scope']).toBe('groups audience:server:client_id:billing')
  })
})

describe('rubbish', () => {
  test('any header lines give a verdict', async () => {
    await using running = await startBrokerWithDex({ negativeCacheTtlMs: 0 }, { clients: [] })
    const name = fc.oneof(
      fc.constantFrom('x-client-id', 'x-client-secret', 'x-scope', '__proto__'),
      fc.string(),
    )
    const lines = fc.array(fc.tuple(name, fc.string({ unit: 'binary' })), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(lines, fc.boolean(), async (pairs, odd) => {
        const headers = odd ? [...pairs.flat(), 'x-client-id'] : pairs.flat()
        const verdict = await running.broker.check({ headers })
        expect(verdict.outcome).toBe('deny')
        expect(['missing_credentials', 'invalid_request', 'token_request_rejected']).toContain(
          verdict.outcome === 'deny' && verdict.code,
        )
      }),
      { numRuns: 200 },
    )
  })

  test('a fault of ours is 500 server_error, logged with its stack and answered without a word of it', async () => {
    await using running = await startBrokerWithDex()
    const headers = ['x-first', '', undefined, 'the internals'] as unknown as string[]
    const verdict = await running.broker.check({ headers })
    expect(verdict).toEqual({
      outcome: 'error',
      code: 'server_error',
      status: 500,
      headers: { 'cache-control': 'no-store', 'content-type': 'application/json' },
      body: '{"error":"server_error","error_description":"internal error"}',
    })
    expect(running.log.lines).toMatchObject([{ level: 'error' }])
    const [line] = running.log.lines
    expect(line?.fields['err']).toMatchObject({ stack: expect.stringContaining('credential-headers') })
  })

  test('a fault of ours is still a fault when the caller has left meanwhile', async () => {
    await using running = await startBrokerWithDex()
    const headers = ['x-first', '', undefined, 'x'] as unknown as string[]
    const verdict = await running.broker.check({ headers, signal: AbortSignal.abort('gone') })
    expect(verdict).toMatchObject({ outcome: 'error', code: 'server_error' })
    expect(running.log.lines).toHaveLength(1)
  })
})
