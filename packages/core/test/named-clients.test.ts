import { startDevDex } from '@broker/dev-dex'
import { answerJson, startRecordingServer } from '@broker/testing'
import { describe, expect, test } from 'vitest'
import type { TokenRequest } from '../src/clients/token-request.ts'
import type { TokenBrokerOptions } from '../src/options/broker-options.ts'
import { createFetch } from '../src/outbound/create-fetch.ts'
import { headerProvider } from '../src/outbound/header-provider.ts'
import { hintText } from '../src/shared/hint.ts'
import { TokenBroker } from '../src/token-broker.ts'
import type { IssuedToken } from '../src/tokens/issued-token.ts'
import { billing, caughtUp, failureOf, orders, startBrokerWithDex } from './broker-with-dex.ts'

const named = { client: orders, clients: { invoices: billing, reports: { ...orders, scope: 'groups' } } }

function claimsOf(token: IssuedToken): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.accessToken.split('.')[1] ?? '', 'base64url').toString())
}

describe('a named client', () => {
  test('gets its own token, and the default client too by its name', async () => {
    await using running = await startBrokerWithDex(named)
    expect(claimsOf(await running.broker.getToken({ client: 'invoices' }))['aud']).toBe('billing')
    expect(claimsOf(await running.broker.getToken({ client: 'reports' }))['groups']).toEqual(['shop'])
    const usual = await running.broker.getToken()
    expect(claimsOf(usual)['aud']).toBe('orders')
    expect(await running.broker.getToken({ client: 'default' })).toBe(usual)
    expect(running.broker.peekToken({ client: 'invoices' })).toBe(
      await running.broker.getToken({ client: 'invoices' }),
    )
    expect(running.dex.counts.tokenRequests).toBe(3)
  })

  test('gets a token with another scope and audiences', async () => {
    await using running = await startBrokerWithDex({ ...named, client: undefined })
    const request = { client: 'invoices', scope: 'openid', audiences: ['billing'] }
    await running.broker.getToken(request)
    await running.broker.getToken({ ...request, scope: 'openid' })
    expect(running.dex.tokenRequests.map(({ form }) => form['scope'])).toEqual([
      'openid audience:server:client_id:billing',
    ])
  })

  test('shares its token with another name of the same client', async () => {
    await using running = await startBrokerWithDex({ client: billing, clients: { a: billing, b: billing } })
    const tokens = await Promise.all(
      [{ client: 'a' }, { client: 'b' }, {}].map(request => running.broker.getToken(request)),
    )
    expect(new Set(tokens).size).toBe(1)
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('gives tokens to outgoing calls', async () => {
    await using running = await startBrokerWithDex(named)
    await using backend = await startRecordingServer()
    const allow = [backend.url]
    await (await createFetch(running.broker, { allow, token: { client: 'invoices' } })(backend.url)).text()
    const { headers } = await running.broker.getToken({ client: 'invoices' })
    expect(backend.requests[0]?.headers['authorization']).toBe(headers['authorization'])
    expect(
      await headerProvider(running.broker, { allow, token: { client: 'invoices' } })(backend.url),
    ).toEqual(headers)
    for (const token of [
      { client: 'nobody' },
      { client: undefined },
      { client: 'invoices', clientId: 'x' },
    ]) {
      expect(() => createFetch(running.broker, { allow, token: token as TokenRequest })).toThrow(
        /^token: client/,
      )
    }
  })

  test.each<[string, object, string]>([
    [
      'an unknown name',
      { client: 'nobody' },
      'client: "nobody" is not a client; known clients: default, invoices',
    ],
    ['a name of every object', { client: 'constructor' }, 'client: "constructor" is not a client'],
    ['the reserved name of callers', { client: 'caller' }, 'client: "caller" is not a client'],
    ['an empty name', { client: '' }, 'client: "" is not a client'],
    ['null', { client: null }, 'client must be a string'],
    ['a lookup that failed', { client: undefined }, 'client must be a string'],
    ['a number', { client: 5 }, 'client must be a string'],
    ['a client id beside it', { client: 'invoices', clientId: 'orders' }, 'client must come without'],
    ['a secret beside it', { client: 'default', clientSecret: 'x' }, 'client must come without'],
  ])('is a TypeError: %s', async (_name, request, message) => {
    await using running = await startBrokerWithDex(named)
    expect(() => running.broker.tokenFor(request)).toThrow(TypeError)
    expect(() => running.broker.peekToken(request)).toThrow(message)
    await expect(running.broker.getToken(request)).rejects.toThrow(message)
    await caughtUp(running.dex)
    expect(running.dex.counts.tokenRequests).toBe(0)
  })

  test('authenticates with its own method, and otherwise with that of the broker', async () => {
    await using running = await startBrokerWithDex({
      clientAuthMethod: 'client_secret_post',
      clients: { posting: billing, basic: { ...billing, authMethod: 'client_secret_basic' } },
    })
    const [posting, basic] = await Promise.all(
      ['posting', 'basic'].map(client => running.broker.getToken({ client })),
    )
    expect(posting).not.toBe(basic)
    const requests = running.dex.tokenRequests.map(({ form, headers }) => [
      form['client_secret'],
      headers['authorization']?.split(' ')[0],
    ])
    expect(requests).toEqual(
      expect.arrayContaining([
        ['billing-secret', undefined],
        [undefined, 'Basic'],
      ]),
    )
    expect(requests).toHaveLength(2)
  })
})

describe('a named client that Dex rejects', () => {
  test.each<[string, object, object, string, string]>([
    [
      'for its secret',
      { clientSecret: 'wrong' },
      {},
      'client_misconfigured',
      'set clients.my.app.clientSecret to the secret that Dex has for the client in clients.my.app.clientId',
    ],
    [
      'for its scope',
      { scope: 'no-such-scope' },
      {},
      'client_misconfigured',
      'check clients.my.app.scope and clients.my.app.audiences: Dex rejected the configured scope',
    ],
    [
      'for its audience',
      { audiences: ['nobody'] },
      {},
      'client_misconfigured',
      'add this client to the trustedPeers of each peer in clients.my.app.audiences: Dex rejected an audience',
    ],
  ])('%s is misconfigured; hint and log name it', async (_name, change, request, code, hint) => {
    await using running = await startBrokerWithDex({
      client: orders,
      clients: { 'my.app': { ...billing, ...change } },
    })
    const failure = await failureOf(running.broker.getToken({ client: 'my.app', ...request }))
    expect(failure).toMatchObject({ code })
    expect(failure.hint && hintText(failure.hint)).toBe(hint)
    expect(running.log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { fields: { client: 'my.app', clientId: 'billing', hint } },
    ])
  })

  test('for a scope of the request is the fault of the request; for one of a rule it is not', async () => {
    const scope = 'no-such-scope'
    await using running = await startBrokerWithDex({
      ...named,
      chooseClient: () => ({ client: 'invoices', scope }),
    })
    expect(await failureOf(running.broker.getToken({ client: 'invoices', scope }))).toMatchObject({
      code: 'token_request_rejected',
    })
    expect(await running.broker.check({ headers: [] })).toMatchObject({ code: 'client_misconfigured' })
  })

  test('for a request that cannot be read: the hint names its own method', () => {
    const text = (option: string) => hintText({ problem: 'request_not_understood', option })
    expect(text('clients.invoices')).toContain('or change clients.invoices.authMethod')
    expect(text('client')).toContain('or change clientAuthMethod')
  })
})

describe('a client of another Dex', () => {
  test('gets its token there, and no token goes to its endpoint', async () => {
    await using other = await startDevDex({
      algorithm: 'ES256',
      clients: [{ id: 'billing', secret: 'other-secret' }],
    })
    await using running = await startBrokerWithDex({
      client: billing,
      issuers: [{ name: 'other', issuer: other.issuer }],
      clients: { theirs: { clientId: 'billing', clientSecret: 'other-secret', dex: 'other' } },
    })
    expect(running.broker.missing()).toContain('endpoints')
    const token = await running.broker.getToken({ client: 'theirs' })
    expect(claimsOf(token)['iss']).toBe(other.issuer)
    expect(claimsOf(await running.broker.getToken())['iss']).toBe(running.dex.issuer)
    expect(running.broker.missing()).not.toContain('endpoints')
    expect(running.broker.asksAt(new URL(other.tokenEndpoint))).toBe(true)
    expect(running.dex.counts.tokenRequests).toBe(1)
  })

  test('is the same Dex when the issuer is that of the broker', async () => {
    await using dex = await startDevDex({
      algorithm: 'ES256',
      clients: [{ id: 'billing', secret: 'billing-secret' }],
    })
    await using broker = new TokenBroker({
      issuer: dex.issuer,
      client: billing,
      issuers: [{ name: 'dex', issuer: dex.issuer }],
      clients: { theirs: { ...billing, dex: 'dex' } },
    })
    expect(await broker.getToken({ client: 'theirs' })).toBe(await broker.getToken())
    expect(dex.counts.tokenRequests).toBe(1)
  })
})

describe('the options', () => {
  const make = (options: Record<string, unknown>) => {
    const broker = new TokenBroker({
      tokenEndpoint: 'https://dex.example.com/token',
      ...options,
    } as unknown as TokenBrokerOptions)
    void broker.close()
  }
  const clients = (options: object) => ({ clients: { reports: { ...billing, ...options } } })

  test.each<[string, Record<string, unknown>]>([
    ['clients must be an object', { clients: [billing] }],
    ['clients must be an object', { clients: new Map([['a', billing]]) }],
    ['clients must be an object', { clients: null }],
    ['clients.reports must be an object', { clients: { reports: undefined } }],
    [
      'clients.reports must be an object, not a promise',
      { clients: { reports: Object.assign({}, billing, Object.fromEntries([['then', () => {}]])) } },
    ],
    ...['', 'a b', 'a/b', 'n'.repeat(65), '\u00fc', 'default', 'caller'].map(
      (name): [string, Record<string, unknown>] => [
        `clients: ${JSON.stringify(name)} cannot be a name`,
        { clients: { [name]: billing } },
      ],
    ),
    ['clients.reports.secret is not an option', clients({ secret: 'x' })],
    ['clients.reports.clientId is required', clients({ clientId: '' })],
    ['clients.reports must have clientSecret or authentication', clients({ clientSecret: undefined })],
    ['clients.reports.clientSecret must be a string or a function', clients({ clientSecret: 5 })],
    ['clients.reports.scope must be a string', clients({ scope: ['openid'] })],
    ['clients.reports.audiences must be an array', clients({ audiences: 'orders' })],
    ['clients.reports: an audience contains', clients({ audiences: ['a b'] })],
    ['clients.reports: client id is too long', clients({ clientId: 'i'.repeat(257) })],
    ['clients.reports.authMethod must be client_secret_basic or', clients({ authMethod: 'none' })],
    ['clients.reports.dex must be a string', clients({ dex: 5 })],
    ['clients.reports.dex: "other" is not the name of an issuer', clients({ dex: 'other' })],
    [
      'clients.reports.dex: "Keys" is not the name of an issuer',
      { issuers: [{ name: 'keys', issuer: 'https://keys.example.com' }], ...clients({ dex: 'Keys' }) },
    ],
    ['chooseClient must be a function', { chooseClient: { client: 'reports' } }],
    ['backendHeaders must be an array', { backendHeaders: 'x-caller' }],
    ['backendHeaders: "a b" is not a header name', { backendHeaders: ['a b'] }],
    ['backendHeaders: "Host"', { backendHeaders: ['Host'] }],
    [
      'backendHeaders: "x-proxy-a" is read by the proxy',
      { backendHeaders: ['x-proxy-a'], reservedHeaderPrefixes: { 'x-proxy-': 'is read by the proxy' } },
    ],
    ['backendHeaders: x-caller is already used', { backendHeaders: ['x-caller', 'X-Caller'] }],
    [
      'backendHeaders: authorization is already used',
      {
        backendHeaders: ['Authorization'],
        authorizationHeader: 'x-token',
        gate: { jwksUri: 'https://a.example.com/keys', jwtHeader: 'x-jwt' },
      },
    ],
    [
      'backendHeaders: x-token is already used',
      { backendHeaders: ['x-token'], authorizationHeader: 'x-token' },
    ],
    [
      'backendHeaders: x-id-token is already used',
      { backendHeaders: ['x-id-token'], tokenHeaders: { id_token: 'x-id-token' } },
    ],
    [
      'backendHeaders: x-jwt is already used',
      { backendHeaders: ['x-jwt'], gate: { jwksUri: 'https://a.example.com/keys', jwtHeader: 'x-jwt' } },
    ],
    ...['x-client-id', 'x-client-secret', 'x-scope'].map((name): [string, Record<string, unknown>] => [
      `backendHeaders: ${name} is already used`,
      { backendHeaders: [name] },
    ]),
    ...['allowedClientIds', 'allowedScopes'].flatMap((option): [string, Record<string, unknown>][] => [
      [`${option} must not be empty`, { [option]: [] }],
      [`${option} must not be empty`, { [option]: [''] }],
      [`${option} must be an array`, { [option]: 'orders' }],
      [`${option} must be an array`, { [option]: [5] }],
    ]),
    ['allowedScopes: "openid groups" contains', { allowedScopes: ['openid groups'] }],
  ])('refuse with %j', (message, options) => {
    expect(() => make(options)).toThrow(TypeError)
    expect(() => make(options)).toThrow(message)
  })

  test('accept names of letters, digits and the three characters', () => {
    for (const name of ['a', 'A-1_b.c', 'n'.repeat(64), '__proto__', 'toString']) {
      const broker = new TokenBroker({
        tokenEndpoint: 'https://dex.example.com/token',
        clients: Object.fromEntries([[name, billing]]),
      })
      expect(broker.peekToken({ client: name })).toBeUndefined()
      void broker.close()
    }
  })
})

test('a mapped field that a header cannot carry exactly is absent', async () => {
  await using endpoint = await startRecordingServer(
    answerJson({ access_token: 't', expires_in: 60, a: ' padded', b: 'a b', c: '' }),
  )
  await using broker = new TokenBroker({
    tokenEndpoint: `${endpoint.url}/token`,
    client: billing,
    expirySafetyMarginMs: 0,
    tokenHeaders: { a: 'x-a', b: 'x-b', c: 'x-c' },
  })
  expect((await broker.getToken()).fields).toEqual({ b: 'a b' })
})
