import { type DevDex, startDevDex } from '@broker/dev-dex'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CheckRequest } from '../../src/check/check-request.ts'
import type { ChooseClient } from '../../src/check/choose-client.ts'
import type { Verdict } from '../../src/check/verdict.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { billing, orders, startBrokerWithDex } from '../broker-with-dex.ts'
import { claimsOf } from './reconfigurable-broker.ts'

const invoices: ChooseClient = caller => ({
  client: caller?.groups.includes('shop') ? 'invoices' : 'reports',
})
const withHeader: ChooseClient = () => ({ client: 'default', set: { 'x-team': 'shop' } })
const ofCaller: ChooseClient = () => ({ client: 'caller' })
const denied: ChooseClient = () => ({ deny: 'closed today', rule: 'closed' })

/** Members of options, each given or not, for one of two Dexes. */
function optionsWith(dexes: readonly DevDex[]): fc.Arbitrary<TokenBrokerOptions> {
  const one = <T>(...values: readonly T[]) => fc.constantFrom(...values)
  return fc
    .record({
      dex: one(...dexes),
      discovers: fc.boolean(),
      client: one<TokenBrokerOptions['client']>(undefined, orders, { ...orders, scope: 'groups' }, billing, {
        clientId: 'orders',
      }),
      clients: one({}, { invoices: billing }, { invoices: billing, reports: orders }, { invoices: orders }),
      clientAuthMethod: one('client_secret_basic' as const, 'client_secret_post' as const),
      gate: one(
        undefined,
        {},
        { audience: 'svc' },
        { audience: 'other' },
        { audience: ['svc', 'other'], requiredGroups: ['shop'] },
        { audience: 'svc', jwtHeader: 'x-jwt' },
        { audience: 'svc', groupsClaim: 'roles' },
        { verifiedJwtsMaxEntries: 0 },
      ),
      issuers: one('none', 'first', 'both', 'renamed'),
      chooseClient: one(undefined, undefined, invoices, withHeader, ofCaller, denied),
      backendHeaders: one([], ['x-team']),
      allowedClientIds: one(undefined, undefined, ['billing']),
      tokenHeaders: one({}, { access_token: 'x-access-token' }, { token_type: ['x-type', 'x-kind'] }),
      authorizationHeader: one('authorization', 'x-authorization'),
      credentialHeaders: one({}, { strip: false }, { clientId: 'x-id' }),
      realm: one('one', 'two'),
      cacheMaxEntries: one(1_024, 2, 0),
    })
    .map(({ dex, discovers, issuers, gate, ...rest }) => ({
      ...rest,
      ...(discovers
        ? { issuer: dex.issuer }
        : { tokenEndpoint: dex.tokenEndpoint, jwksUri: dex.jwksUri, issuer: undefined }),
      gate: issuers === 'none' || gate === undefined ? gate : { requiredGroups: gate.requiredGroups },
      issuers: issuersOf(issuers, dexes),
    }))
}

/** Options with every outcome among their verdicts. The random ones rarely have, for example, no gate and no client. */
function everyOutcome({ tokenEndpoint, jwksUri }: DevDex): TokenBrokerOptions[] {
  const gate = { jwksUri, audience: 'svc' }
  return [
    { tokenEndpoint },
    { tokenEndpoint, credentialHeaders: { clientId: 'x-id' } },
    { tokenEndpoint, client: orders, gate },
    { tokenEndpoint, client: orders, chooseClient: denied },
    { tokenEndpoint, client: orders, chooseClient: withHeader },
  ]
}

function issuersOf(kind: string, dexes: readonly DevDex[]): TokenBrokerOptions['issuers'] {
  const [first, second] = dexes.map(({ issuer }) => issuer)
  const entry = (name: string, issuer: string | undefined) => ({ name, issuer, audiences: ['svc'] })
  return {
    none: undefined,
    first: [entry('first', first)],
    both: [entry('first', first), entry('second', second)],
    renamed: [{ ...entry('second', first), groupsClaim: 'roles' }],
  }[kind]
}

function requestsFor(dexes: readonly DevDex[], now: number): CheckRequest[] {
  const credentials = ['x-client-id', 'orders', 'x-id', 'billing', 'x-client-secret', 'orders-secret']
  const jwts = dexes.flatMap(dex => {
    const claims = { iss: dex.issuer, sub: 'alice', exp: now / 1000 + 600 }
    return [
      dex.signJwt({ ...claims, aud: 'svc', groups: ['shop'] }),
      dex.signJwt({ ...claims, aud: 'other', roles: ['shop'] }),
    ]
  })
  return [
    { headers: [] },
    { headers: [...credentials, 'x-team', 'forged', 'x-access-token', 'forged'] },
    ...jwts.map(jwt => ({ headers: ['authorization', `Bearer ${jwt}`, 'x-jwt', jwt, ...credentials] })),
  ]
}

/** A verdict with what a token says instead of the token: two brokers have two tokens. */
function shown(verdict: Verdict, dexes: readonly DevDex[]): object {
  if (verdict.outcome !== 'allow') return verdict
  const set = Object.entries(verdict.set).map(([name, value]) => {
    const token = value.replace(/^Bearer /, '')
    if (token.split('.').length !== 3) return [name, value]
    const { iss, aud, groups, sub } = claimsOf({ accessToken: token })
    return [name, { from: dexes.findIndex(({ issuer }) => issuer === iss), aud, groups, sub }]
  })
  return { ...verdict, set: Object.fromEntries(set) }
}

test('the verdicts after a reconfiguration are those of a new broker with the same options', async () => {
  await using running = await startBrokerWithDex()
  const { dex, clock } = running
  await using second = await startDevDex({
    algorithm: 'ES256',
    now: clock.wall,
    clients: [
      { id: 'orders', secret: 'orders-secret', groups: ['shop'] },
      { id: 'billing', secret: 'billing-secret' },
    ],
  })
  const dexes = [dex, second]
  const requests = requestsFor(dexes, clock.wall())
  const seen = new Set<string>()
  const verdictsOf = async (broker: TokenBroker) => {
    const verdicts = await Promise.all(requests.map(request => broker.check(request)))
    for (const verdict of verdicts) seen.add(verdict.outcome === 'allow' ? 'allow' : verdict.code)
    return verdicts.map(verdict => shown(verdict, dexes))
  }
  await fc.assert(
    fc.asyncProperty(fc.array(optionsWith(dexes), { minLength: 2, maxLength: 5 }), async sequence => {
      await using broker = new TokenBroker({ tokenEndpoint: dex.tokenEndpoint, clock })
      let inForce: TokenBrokerOptions = { tokenEndpoint: dex.tokenEndpoint }
      for (const options of sequence) {
        const problem = problemOf(() => broker.reconfigure(options))
        const problemOfNew = problemOf(() => void new TokenBroker({ ...options, clock }).close())
        expect(problem).toBe(problemOfNew)
        if (problem === undefined) inForce = options
        await using fresh = new TokenBroker({ ...inForce, clock })
        expect(await verdictsOf(broker)).toEqual(await verdictsOf(fresh))
      }
    }),
    { numRuns: 60, examples: [[everyOutcome(dex)]] },
  )
  expect([...seen].sort()).toEqual([
    'allow',
    'forbidden',
    'invalid_token',
    'missing_credentials',
    'server_error',
    'token_request_rejected',
  ])
}, 60_000)

function problemOf(run: () => void): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
