import { describe, expect, test } from 'vitest'
import type { CheckRequest } from '../../src/check/check-request.ts'
import type { Choice, ChooseClient, ClientChoice } from '../../src/check/choose-client.ts'
import type { AllowVerdict, Verdict } from '../../src/check/verdict.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { BrokerError } from '../../src/shared/errors.ts'
import { type BrokerWithDex, billing, caughtUp, orders, startBrokerWithDex } from '../broker-with-dex.ts'
import type { LogLine } from '../recording-logger.ts'

const own = ['x-client-id', 'billing', 'x-client-secret', 'billing-secret']

/** A broker whose `chooseClient` returns this, with two named clients and a gate by Dex's keys. */
function startChoosing(
  chooseClient: ChooseClient | Choice,
  options: Partial<TokenBrokerOptions> = {},
): Promise<BrokerWithDex> {
  return startBrokerWithDex(
    dex => ({
      client: { ...orders, scope: 'openid' },
      clients: { reports: { ...orders, scope: 'groups' }, invoices: billing },
      gate: { jwksUri: dex.jwksUri },
      tokenHeaders: { id_token: 'x-id-token' },
      backendHeaders: ['X-Caller', 'x-tenant'],
      chooseClient: typeof chooseClient === 'function' ? chooseClient : () => chooseClient,
      ...options,
    }),
    {
      clients: [
        { id: 'orders', secret: 'orders-secret', groups: ['shop'], trustedPeers: ['billing'] },
        { id: 'billing', secret: 'billing-secret', trustedPeers: ['orders'] },
      ],
    },
  )
}

function jwtOf({ dex, clock }: BrokerWithDex, claims: Record<string, unknown> = {}): string {
  return dex.signJwt({ sub: 'alice', exp: clock.wall() / 1000 + 3600, ...claims })
}

function check(
  running: BrokerWithDex,
  headers: readonly string[] = [],
  request: Omit<CheckRequest, 'headers'> = {},
): Promise<Verdict> {
  const lines = ['Authorization', `Bearer ${jwtOf(running)}`, ...headers]
  return running.broker.check({ headers: lines, ...request })
}

/** The claims of the token that a verdict lets pass. */
function tokenIn(verdict: Verdict): { aud: string | string[]; groups?: string[]; sub: string } {
  expect(verdict).toMatchObject({ outcome: 'allow' })
  const [, payload = ''] = (verdict as AllowVerdict).set['authorization']?.split('.') ?? []
  return JSON.parse(Buffer.from(payload, 'base64url').toString())
}

/** The lines about checks. */
function linesOf({ log }: BrokerWithDex): readonly LogLine[] {
  return log.lines.filter(({ message }) => message !== 'key set refreshed')
}

function reasonOf(verdict: Verdict): string {
  expect(verdict.outcome).not.toBe('allow')
  return verdict.outcome === 'allow' ? '' : JSON.parse(verdict.body).error_description
}

describe('the choice of a client', () => {
  test('gives the token of the named client, whatever the request brings', async () => {
    await using running = await startChoosing({ client: 'invoices' })
    expect(tokenIn(await check(running)).aud).toBe('billing')
    expect(
      tokenIn(await check(running, ['x-client-id', 'orders', 'x-scope', 'groups', 'x-scope', 'x'])).aud,
    ).toBe('billing')
    expect(running.dex.tokenRequests.map(({ form }) => form)).toEqual([{ grant_type: 'client_credentials' }])
  })

  test('may change scope and audiences', async () => {
    await using running = await startChoosing({
      client: 'invoices',
      scope: 'openid',
      audiences: ['orders'],
    })
    expect(tokenIn(await check(running)).aud).toEqual(expect.arrayContaining(['orders']))
    await check(running)
    expect(running.dex.tokenRequests.map(({ form }) => form['scope'])).toEqual([
      'openid audience:server:client_id:orders',
    ])
  })

  test('is another token for another scope or other audiences, and the same one when it comes again', async () => {
    const choices: ClientChoice[] = [
      { client: 'reports', scope: 'openid' },
      { client: 'reports', scope: '' },
      { client: 'reports', audiences: ['billing'] },
      { client: 'reports', audiences: [] },
      { client: 'reports', scope: 'openid', audiences: ['billing'] },
      { client: 'reports', scope: 'openid', audiences: ['orders'] },
      { client: 'reports', scope: 'openid', audiences: ['billing', 'orders'] },
      { client: 'invoices', scope: 'openid' },
    ]
    let index = 0
    await using running = await startChoosing(() => choices[index++ % choices.length] as ClientChoice)
    const tokens: unknown[] = []
    for (const _ of [...choices, ...choices])
      tokens.push(((await check(running)) as AllowVerdict).set['authorization'])
    expect(tokens.slice(choices.length)).toEqual(tokens.slice(0, choices.length))
    expect(running.dex.tokenRequests.map(({ form }) => form['scope'])).toEqual([
      'openid',
      undefined,
      'groups audience:server:client_id:billing',
      'groups',
      'openid audience:server:client_id:billing',
      'openid audience:server:client_id:orders',
      'openid audience:server:client_id:billing audience:server:client_id:orders',
      'openid',
    ])
  })

  test('may take away the scope of the client', async () => {
    await using running = await startChoosing({ client: 'reports', scope: '' })
    expect(tokenIn(await check(running, ['x-scope', 'groups'])).groups).toBeUndefined()
  })

  test('may be the default client, whose missing parts come from the request', async () => {
    await using running = await startChoosing({ client: 'default' }, { client: { clientId: 'billing' } })
    expect(tokenIn(await check(running, own)).aud).toBe('billing')
    expect(await check(running)).toMatchObject({ code: 'missing_credentials' })
    await using scoped = await startChoosing({ client: 'default', scope: 'openid' }, { client: {} })
    await check(scoped, [...own, 'x-scope', 'groups'])
    expect(scoped.dex.tokenRequests[0]?.form['scope']).toBe('openid')
  })

  test('is asked with the caller and the request, after the gate and before the credentials', async () => {
    const asked: unknown[][] = []
    await using running = await startChoosing((caller, { method, path, query }) => {
      asked.push([caller?.subject, method, path, query])
      return { deny: 'no' }
    })
    await check(running, ['x-client-id', 'a', 'x-client-id', 'b'], { method: 'PUT', path: '/a%62?c=%64' })
    expect(asked).toEqual([['alice', 'PUT', '/ab', 'c=%64']])
    expect(await running.broker.check({ headers: [] })).toMatchObject({ code: 'invalid_token' })
    expect(asked).toHaveLength(1)
  })

  test('is asked without a caller when there is no gate', async () => {
    const callers: unknown[] = []
    await using running = await startChoosing(
      caller => {
        callers.push(caller)
        return { client: 'reports' }
      },
      { gate: undefined },
    )
    expect(tokenIn(await check(running)).groups).toEqual(['shop'])
    expect(callers).toEqual([undefined])
  })

  test('is the same without a promise when token and JWT are cached, with the same verdict object', async () => {
    await using running = await startChoosing({ client: 'reports', rule: 'everybody' })
    const headers = ['authorization', jwtOf(running)]
    const first = await running.broker.check({ headers })
    const second = running.broker.decide({ headers })
    expect(second).toBe(first)
    expect(second).toMatchObject({ rule: 'everybody' })
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('shows the rule of each request, also when rules share a token', async () => {
    await using running = await startChoosing((_, { path }) => ({ client: 'reports', rule: path.slice(1) }))
    const rules: unknown[] = []
    for (const path of ['/a', '/b', '/b', '/a'])
      rules.push(((await check(running, [], { path })) as AllowVerdict).rule)
    expect(rules).toEqual(['a', 'b', 'b', 'a'])
    expect(running.dex.counts.tokenRequests).toBe(1)
  })
})

describe("the choice of the caller's own client", () => {
  test('takes every part from the request and none from the configuration', async () => {
    await using running = await startChoosing({ client: 'caller' })
    expect(tokenIn(await check(running, own)).aud).toBe('billing')
    expect(running.dex.tokenRequests[0]?.form).toEqual({ grant_type: 'client_credentials' })
    for (const part of [own.slice(0, 2), own.slice(2), []]) {
      expect(await check(running, part)).toMatchObject({ status: 401, code: 'missing_credentials' })
    }
    // The configured id or secret never completes them.
    expect(
      await check(running, ['x-client-id', 'orders', 'x-client-secret', 'billing-secret']),
    ).toMatchObject({
      code: 'token_request_rejected',
    })
  })

  test.each([
    ['openid groups', true],
    ['  groups   openid ', true],
    ['', true],
    ['openid profile', false],
    ['openid Groups', false],
    ['audience:server:client_id:orders', true],
    ['audience:server:client_id:invoices', false],
    ['openid audience:server:client_id:orders2', false],
  ])('with scope %j among the allowed ones: %s', async (scope, isAllowed) => {
    await using running = await startChoosing({
      client: 'caller',
      allowedScopes: ['openid', 'groups', 'audience:server:client_id:orders'],
    })
    const verdict = await check(running, [...own, 'x-scope', scope])
    expect(verdict.outcome === 'allow' || verdict.code).toBe(isAllowed || 'forbidden')
    expect(running.dex.counts.tokenRequests).toBe(isAllowed ? 1 : 0)
  })

  test('admits the client ids of its list only, with the lists of the options where it has none', async () => {
    await using running = await startChoosing(
      (_, { path }) =>
        path === '/own' ? { client: 'caller', allowedClientIds: ['billing'] } : { client: 'caller' },
      { allowedClientIds: ['orders'], allowedScopes: ['openid'] },
    )
    expect(await check(running, own, { path: '/own' })).toMatchObject({ outcome: 'allow' })
    expect(reasonOf(await check(running, own, { path: '/' }))).toBe('the client id is not allowed')
    expect(reasonOf(await check(running, [...own, 'x-scope', 'groups'], { path: '/own' }))).toBe(
      'the scope is not allowed',
    )
    const lines = running.log.lines.filter(({ message }) => message.startsWith('requests refused'))
    expect(lines).toMatchObject([{ level: 'info', fields: { clientId: 'billing', count: 1 } }])
  })
})

describe('the lists of allowed client ids and scopes', () => {
  test("apply to what callers bring to the configured client, and not to the client's own parts", async () => {
    await using running = await startBrokerWithDex({
      client: { scope: 'groups', audiences: ['billing'] },
      allowedClientIds: ['orders'],
      allowedScopes: ['openid'],
    })
    const ordersOwn = ['x-client-id', 'orders', 'x-client-secret', 'orders-secret']
    expect(await running.broker.check({ headers: ordersOwn })).toMatchObject({ outcome: 'allow' })
    expect(await running.broker.check({ headers: own })).toMatchObject({ status: 403, code: 'forbidden' })
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('apply to the scope that a caller asks for with a configured client', async () => {
    await using running = await startBrokerWithDex({ client: orders, allowedScopes: ['openid'] })
    expect(await running.broker.check({ headers: ['x-scope', 'openid'] })).toMatchObject({ outcome: 'allow' })
    expect(await running.broker.check({ headers: ['x-scope', 'openid groups'] })).toMatchObject({
      code: 'forbidden',
    })
  })
})

describe('the choice to pass', () => {
  const forged = [
    'x-id-token',
    'f',
    'x-caller',
    'f',
    'x-client-id',
    'f',
    'x-client-secret',
    'f',
    'x-scope',
    'f',
  ]

  test("leaves the caller's JWT in its header, and nothing else that the broker could have set", async () => {
    await using running = await startChoosing({ pass: true })
    const verdict = await check(running, forged)
    expect(verdict).toEqual({
      outcome: 'allow',
      set: {},
      remove: ['x-client-id', 'x-client-secret', 'x-scope', 'x-id-token', 'x-caller', 'x-tenant'],
    })
    expect(running.dex.counts.tokenRequests).toBe(0)
  })

  test('removes the authorization header when the JWT is in another one', async () => {
    await using running = await startBrokerWithDex(dex => ({
      gate: { jwksUri: dex.jwksUri, jwtHeader: 'x-jwt' },
      credentialHeaders: { strip: false },
      chooseClient: () => ({ pass: true }),
    }))
    const headers = ['authorization', 'Bearer forged', 'x-jwt', jwtOf(running)]
    expect(await running.broker.check({ headers })).toEqual({
      outcome: 'allow',
      set: {},
      remove: ['authorization'],
    })
  })

  test('keeps the JWT in a header that a token would set', async () => {
    await using running = await startBrokerWithDex(dex => ({
      gate: { jwksUri: dex.jwksUri, jwtHeader: 'x-id-token' },
      tokenHeaders: { id_token: 'x-id-token' },
      chooseClient: () => ({ pass: true, rule: 'own' }),
    }))
    const verdict = await running.broker.check({ headers: ['x-id-token', jwtOf(running)] })
    expect(verdict).toMatchObject({ outcome: 'allow', rule: 'own' })
    expect((verdict as AllowVerdict).remove).not.toContain('x-id-token')
  })

  test('needs a JWT that the gate accepts', async () => {
    await using running = await startChoosing({ pass: true })
    expect(await running.broker.check({ headers: [] })).toMatchObject({ code: 'invalid_token' })
    const expired = jwtOf(running, { exp: 1 })
    expect(await running.broker.check({ headers: ['authorization', expired] })).toMatchObject({
      code: 'invalid_token',
    })
  })
})

describe('a denial', () => {
  test.each([
    ['only on weekdays', 'only on weekdays'],
    ['', 'the request is denied'],
    [' \n ', '?'],
    ['say "no" to C:\\ and \u00fc \u{1f600}', "say 'no' to C:? and ? ?"],
    ['x'.repeat(300), 'x'.repeat(200)],
  ])('of %j says %j', async (deny, text) => {
    await using running = await startChoosing({ deny })
    const verdict = await check(running)
    expect(verdict).toMatchObject({ outcome: 'deny', status: 403, code: 'forbidden' })
    expect(reasonOf(verdict)).toBe(text)
  })

  test('is logged at most once in ten seconds for each rule, with a count', async () => {
    await using running = await startChoosing((_, { path }) =>
      path === '/' ? { deny: 'no' } : { deny: 'not there', rule: path },
    )
    const ask = async (path: string, times: number) => {
      for (let time = 0; time < times; time++) await check(running, [], { path })
    }
    await ask('/', 2)
    await ask('/admin', 3)
    running.clock.advance(10_000)
    await ask('/admin', 1)
    expect(await check(running, [], { path: '/admin' })).toMatchObject({ rule: '/admin' })
    const lines = running.log.lines.filter(({ message }) => message === 'requests denied by a rule')
    expect(lines.map(({ level, fields }) => [level, fields])).toEqual([
      ['info', { reason: 'no', count: 1 }],
      ['info', { rule: '/admin', reason: 'not there', count: 1 }],
      ['info', { rule: '/admin', reason: 'not there', count: 3 }],
    ])
  })

  test('by names that are made up takes no memory without end', async () => {
    let number = 0
    await using running = await startChoosing(() => ({ deny: 'no', rule: `rule ${number++}` }))
    for (let time = 0; time < 300; time++) await check(running)
    expect(running.log.lines.filter(({ message }) => message === 'requests denied by a rule')).toHaveLength(
      257,
    )
  })
})

describe('a choice that is not usable', () => {
  const thenable = Object.assign({ client: 'reports' }, Object.fromEntries([['then', () => {}]]))
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a name', 'reports'],
    ['true', true],
    ['a list', [{ client: 'reports' }]],
    ['a promise', Promise.resolve({ client: 'reports' })],
    ['a promise that rejects', () => Promise.reject(new Error('nobody waits for it'))],
    ['a thenable', thenable],
    ['an empty object', {}],
    ['an unknown client', { client: 'nobody' }],
    ['a name of every object', { client: 'constructor' }],
    ['an empty name', { client: '' }],
    ['a client that is not a string', { client: 5 }],
    ['two kinds', { client: 'reports', pass: true }],
    ['a client and a denial without a reason', { client: 'reports', deny: undefined }],
    ['a misspelt member', { client: 'reports', scopes: 'openid' }],
    ['lists for a named client', { client: 'reports', allowedClientIds: ['orders'] }],
    ['a scope for the own client', { client: 'caller', scope: 'openid' }],
    ['an empty list', { client: 'caller', allowedClientIds: [] }],
    ['a list that is a string', { client: 'caller', allowedScopes: 'openid' }],
    ['a list with an empty string', { client: 'caller', allowedScopes: [''] }],
    ['a scope that is a list', { client: 'reports', scope: ['openid'] }],
    ['a scope that cannot be sent', { client: 'reports', scope: 'a\nb' }],
    ['a scope that is too long', { client: 'reports', scope: 's'.repeat(1_025) }],
    ['audiences that are a string', { client: 'reports', audiences: 'billing' }],
    ['an audience that adds a scope', { client: 'reports', audiences: ['billing admin'] }],
    ['a pass that is only truthy', { pass: 'true' }],
    ['a pass that is false', { pass: false }],
    ['a denial that is true', { deny: true }],
    ['a denial with headers', { deny: 'no', set: {} }],
    ['headers that are a map', { client: 'reports', set: new Map() }],
    ['headers that are null', { client: 'reports', set: null }],
    ['a header outside backendHeaders', { client: 'reports', set: { 'x-other': 'a' } }],
    ['the authorization header', { pass: true, set: { Authorization: 'Bearer x' } }],
    ['a header twice', { client: 'reports', set: { 'x-caller': 'a', 'X-Caller': 'b' } }],
    ['a rule that is a number', { client: 'reports', rule: 5 }],
  ])('is an internal error: %s', async (_name, choice) => {
    await using running = await startChoosing(
      () => (typeof choice === 'function' ? choice() : choice) as Choice,
    )
    const verdict = await check(running, own)
    expect(verdict).toMatchObject({ outcome: 'error', status: 500, code: 'server_error' })
    expect(reasonOf(verdict)).toBe('internal error')
    expect(linesOf(running)).toMatchObject([
      {
        level: 'error',
        fields: { count: 1 },
        message: 'checks failed: chooseClient returned no usable choice',
      },
    ])
    await caughtUp(running.dex)
    expect(running.dex.counts.tokenRequests).toBe(0)
  })

  test('is the JWT of a caller when there is no gate', async () => {
    await using running = await startChoosing({ pass: true }, { gate: undefined })
    expect(await check(running)).toMatchObject({ code: 'server_error' })
  })

  test('is an error that chooseClient throws; a BrokerError answers the request', async () => {
    const errors = [
      new TypeError('reading of undefined'),
      undefined,
      new BrokerError('forbidden', 'outside office hours'),
      new BrokerError('overloaded', 'later', { retryAfterMs: 2_000 }),
    ]
    await using running = await startChoosing(() => {
      throw errors.shift()
    })
    expect(await check(running)).toMatchObject({ code: 'server_error' })
    expect(linesOf(running)).toMatchObject([
      { level: 'error', fields: { err: { message: 'reading of undefined' } } },
    ])
    expect(await check(running)).toMatchObject({ code: 'server_error' })
    expect(reasonOf(await check(running))).toBe('outside office hours')
    expect(await check(running)).toMatchObject({ status: 503, headers: { 'retry-after': '2' } })
    expect(linesOf(running).slice(1)).toMatchObject([
      { message: 'requests denied by a rule', fields: { reason: 'outside office hours', count: 1 } },
      { message: 'checks refused', fields: { code: 'overloaded', reason: 'later', count: 1 } },
    ])
  })
})

describe('headers for the backend', () => {
  test('are set on the request, and those without a value are removed', async () => {
    await using running = await startChoosing({ client: 'reports', set: { 'X-Caller': 'alice' } })
    const verdict = (await check(running, ['x-caller', 'bob', 'x-tenant', 'forged'])) as AllowVerdict
    expect(Object.keys(verdict.set).sort()).toEqual(['authorization', 'x-caller'])
    expect(verdict.set['x-caller']).toBe('alice')
    expect(verdict.remove).toEqual(['x-client-id', 'x-client-secret', 'x-scope', 'x-id-token', 'x-tenant'])
  })

  test('are removed from every request that passes, whatever let it pass', async () => {
    const choices: Choice[] = [
      { client: 'reports' },
      { client: 'default' },
      { client: 'caller' },
      { pass: true },
    ]
    for (const choice of choices) {
      await using running = await startChoosing(choice)
      expect(((await check(running, own)) as AllowVerdict).remove).toEqual(
        expect.arrayContaining(['x-caller', 'x-tenant']),
      )
    }
    await using without = await startBrokerWithDex({ client: orders, backendHeaders: ['x-caller'] })
    expect(((await without.broker.check({ headers: [] })) as AllowVerdict).remove).toContain('x-caller')
  })

  test('go beside the JWT of a caller that passes', async () => {
    await using running = await startChoosing({ pass: true, set: { 'x-tenant': 'a b' } })
    const verdict = (await check(running)) as AllowVerdict
    expect(verdict.set).toEqual({ 'x-tenant': 'a b' })
    expect(verdict.remove).not.toContain('x-tenant')
  })

  test.each<[string, unknown]>([
    ['absent', undefined],
    ['null', null],
    ['empty', ''],
    ['a number', 5],
    ['a list', ['alice']],
    ['two lines', 'alice\r\nx-admin: yes'],
    ['a tab', 'a\tb'],
    ['NUL', 'a\0'],
    ['outside ASCII', 'al\u00efce'],
    ['padded on the left', ' alice'],
    ['padded on the right', 'alice '],
    ['a blank', ' '],
  ])('are removed when their value is %s', async (_name, value) => {
    await using running = await startChoosing({ client: 'reports', set: { 'x-caller': value as string } })
    const verdict = (await check(running, ['x-caller', 'forged'])) as AllowVerdict
    expect(verdict.set).not.toHaveProperty('x-caller')
    expect(verdict.remove).toContain('x-caller')
  })
})

describe('the request that a rule reads', () => {
  async function read<T>(
    reading: (request: Parameters<ChooseClient>[1]) => T,
    headers: readonly string[],
    request: Omit<CheckRequest, 'headers'> = {},
  ): Promise<T> {
    let found: { value: T } | undefined
    await using running = await startChoosing((_, incoming) => {
      found = { value: reading(incoming) }
      return { deny: 'read' }
    })
    const verdict = await check(running, headers, request)
    if (found === undefined) throw new Error(reasonOf(verdict))
    return found.value
  }

  test('has its headers in lower case, repeated ones as lists, without secret and JWT', async () => {
    const lines = ['X-Tag', 'a', 'x-client-secret', 's', 'X-Client-Id', 'id', 'x-tag', 'b', '__proto__', 'p']
    const headers = await read(incoming => incoming.headers, lines)
    expect(Object.entries(headers)).toEqual([
      ['x-tag', ['a', 'b']],
      ['x-client-id', 'id'],
      ['__proto__', 'p'],
    ])
    expect(Object.isFrozen(headers) && Object.isFrozen(headers['x-tag'])).toBe(true)
  })

  test('has host, time, context and method, empty where they are unknown', async () => {
    const facts = ({ host, time, context, method }: Parameters<ChooseClient>[1]) => ({
      host,
      time,
      context,
      method,
    })
    const context = { route: 'orders' }
    const { time, ...rest } = await read(facts, ['Host', 'API.Example.com:443'], { context, method: 'GET' })
    expect(rest).toEqual({ host: 'api.example.com:443', context, method: 'GET' })
    expect(time).toBeGreaterThan(0)
    expect(await read(facts, [])).toMatchObject({ host: '', context: {}, method: '' })
    await expect(read(facts, ['host', 'a', 'host', 'b'])).rejects.toThrow('host appears more than once')
  })

  test.each([
    ['/a%62/c?d=%65?f', '/ab/c', '/a%62/c', 'd=%65?f', true],
    ['/?', '/', '/', '', true],
    ['/a/../b?c', undefined, '/a/../b', 'c', false],
    ['?a', undefined, '', 'a', false],
    ['', undefined, '', '', false],
    [undefined, undefined, '', '', false],
    ['http://host/a', undefined, 'http://host/a', '', false],
  ])('with the target %s has the path %s', async (target, path, rawPath, query, isPathClear) => {
    const parts = await read(
      incoming => ({
        path: incoming.isPathClear ? incoming.path : undefined,
        rawPath: incoming.rawPath,
        query: incoming.query,
        isPathClear: incoming.isPathClear,
      }),
      [],
      { path: target },
    )
    expect(parts).toEqual({ path, rawPath, query, isPathClear })
  })

  test('is refused when a rule reads a path that is not clear, and the operator sees it', async () => {
    await using running = await startChoosing((_, { path }) => ({
      client: path === '/admin' ? 'invoices' : 'reports',
    }))
    for (const path of ['/x/../admin', '/%2561dmin', undefined]) {
      const verdict = await check(running, [], { path })
      expect(verdict).toMatchObject({ status: 403, code: 'forbidden' })
      expect(reasonOf(verdict)).toBe('the path of the request is ambiguous or unknown')
    }
    expect(linesOf(running)).toMatchObject([{ message: 'requests denied by a rule' }])
    expect(running.dex.counts.tokenRequests).toBe(0)
  })
})

describe('the verdict of a choice that sets headers', () => {
  test('is the same object for the same frozen headers, rule and token', async () => {
    const choices: Choice[] = ['a', 'b'].map(tenant => ({
      client: 'reports',
      rule: 'tenants',
      set: Object.freeze({ 'x-tenant': tenant }),
    }))
    let turn = 0
    await using running = await startChoosing(() => choices[turn] as Choice)
    const ofA = await check(running)
    turn = 1
    const ofB = await check(running)
    expect(ofA).toMatchObject({ set: { 'x-tenant': 'a' }, rule: 'tenants' })
    expect(ofB).toMatchObject({ set: { 'x-tenant': 'b' }, rule: 'tenants' })
    expect(await check(running)).toBe(ofB)
    turn = 0
    expect(await check(running)).toBe(ofA)
  })

  test('follows headers that change, another rule, another client and a pass', async () => {
    const set: Record<string, string> = { 'x-tenant': 'a' }
    const frozen = Object.freeze({ 'x-tenant': 'c' })
    let choice: Choice = { client: 'reports', set }
    await using running = await startChoosing(() => choice)
    expect(await check(running)).toMatchObject({ set: { 'x-tenant': 'a' } })
    set['x-tenant'] = 'b'
    expect(await check(running)).toMatchObject({ set: { 'x-tenant': 'b' } })
    choice = { client: 'reports', set: frozen, rule: 'one' }
    const first = await check(running)
    choice = { client: 'reports', set: frozen, rule: 'two' }
    expect(await check(running)).toMatchObject({ set: { 'x-tenant': 'c' }, rule: 'two' })
    choice = { client: 'invoices', set: frozen, rule: 'one' }
    const ofOtherClient = await check(running)
    expect(tokenIn(ofOtherClient).sub).not.toBe(tokenIn(first).sub)
    choice = { pass: true, set: frozen, rule: 'one' }
    expect(await check(running)).toMatchObject({ set: { 'x-tenant': 'c' }, rule: 'one' })
    expect((await check(running)) as AllowVerdict).not.toHaveProperty('set.authorization')
  })
})
