import { until } from '@broker/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ask } from '../harness/client-request.ts'
import { type Dex, startDex } from '../harness/dex.ts'
import { tokensFrom } from '../harness/staff-issuer.ts'
import { startTokenSource, type TokenSource } from '../harness/token-source.ts'
import { describeWithEnvoy } from '../harness/with-envoy.ts'

const reports = { id: 'reports', secret: 'reports-secret', groups: ['readers'] }
const orders = { id: 'orders', secret: 'orders-secret' }
const other = { id: 'other', secret: 'other-secret' }
const jane = { userID: '1', email: 'jane@example.com', username: 'jane', password: 'password' }
const tokenRequests = 'http.ingress.credential_injector.oauth2.token_requested'

function dexWith(settings: { readonly port?: number; readonly idTokensMs?: number } = {}): Promise<Dex> {
  return startDex({
    clients: [reports, orders, other],
    users: [jane],
    passwordConnector: 'local',
    ...settings,
  })
}

async function jwtFor(dex: Dex, client = orders): Promise<string> {
  const form = { grant_type: 'password', username: jane.email, password: jane.password, scope: 'openid' }
  return String((await tokensFrom(dex, client, form))['id_token'])
}

// deploy/envoy/without-broker.yaml, and what docs/comparison.md says about it.
describeWithEnvoy('Envoy with one identity and no broker', () => {
  const stack = new AsyncDisposableStack()
  let dex: Dex
  let source: TokenSource
  let jwt: string

  beforeAll(async () => {
    dex = stack.use(await dexWith())
    source = stack.use(await startTokenSource('Envoy alone', { dex, client: reports }))
    jwt = await jwtFor(dex)
    await until(async () => (await source.outcome(jwt)) === '200', 'a first token')
  })
  beforeEach(() => source.backend.clear())
  afterAll(() => stack.disposeAsync())

  test('a caller with a JWT passes, and the backend gets the token of the one client instead', async () => {
    expect(await source.outcome(jwt)).toBe('200')
    expect(source.backend.requests).toMatchObject([
      { tokenAudience: 'reports', tokenClaims: { groups: ['readers'] } },
    ])
  })

  test('no JWT is 401, also with one in the query, and a JWT for somebody else is 403, before the backend', async () => {
    for (const target of ['/', `/?access_token=${jwt}`]) {
      expect((await ask(source.envoy.port('ingress'), { target })).status).toBe(401)
    }
    expect(await source.outcome(await jwtFor(dex, other))).toBe('403')
    expect(source.backend.requests).toEqual([])
  })

  test('twenty requests cost one token request', async () => {
    for (let count = 0; count < 20; count++) expect(await source.outcome(jwt)).toBe('200')
    expect(await source.envoy.stat(tokenRequests)).toBe(1)
  })

  test('while Dex is down, requests pass; after its return with new keys, each has a dead token', async () => {
    const { port } = dex
    await dex[Symbol.asyncDispose]()
    const { status } = await ask(source.envoy.port('ingress'), {
      headers: { authorization: `Bearer ${jwt}` },
    })
    expect(status).toBe(200)
    await using another = await dexWith({ port })
    expect(await source.outcome(jwt)).toBe('200 with a dead token')
    // The gate still has the old keys.
    expect(await source.outcome(await jwtFor(another))).toBe('401')
    expect(await source.envoy.stat(tokenRequests)).toBe(1)
  })
})

describeWithEnvoy('Envoy with a short-lived token and no broker', () => {
  test('asks Dex for another one at half of its life', async () => {
    await using dex = await dexWith({ idTokensMs: 6_000 })
    const startedAt = performance.now()
    await using source = await startTokenSource('Envoy alone', { dex, client: reports })
    const requests = () => source.envoy.stat(tokenRequests)
    await until(async () => (await requests()) === 1, 'a first token')
    const firstAt = performance.now()
    await until(async () => (await requests()) === 2, 'a second token')
    const secondAt = performance.now()
    // The first token was requested between the two moments. `expires_in` has whole seconds: 5 or 6.
    expect(secondAt - startedAt).toBeGreaterThan(2_500)
    expect(secondAt - firstAt).toBeLessThan(5_000)
  })
})
