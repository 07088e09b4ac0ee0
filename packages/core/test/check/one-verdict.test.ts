import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CheckRequest } from '../../src/check/check-request.ts'
import type { Verdict } from '../../src/check/verdict.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { type BrokerWithDex, orders, startBrokerWithDex } from '../broker-with-dex.ts'
import { CallersKey } from '../gate/callers-issuer.ts'

const foreignKey = new CallersKey('ES256', { kid: 'nobody-knows-it' })

/** The lines of one credential header: none, one or two of them, of values that are good, bad or impossible. */
function linesOf(name: string, values: readonly string[]): fc.Arbitrary<readonly string[]> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...values).map(value => [name, value]) },
    { weight: 1, arbitrary: fc.constantFrom([], [name, values[0] as string, name, values[0] as string]) },
  )
}

const credentials = fc.tuple(
  linesOf('x-client-id', ['orders', 'orders', 'nobody', '', 'o'.repeat(257)]),
  linesOf('X-Client-Secret', ['orders-secret', 'orders-secret', 'wrong', 'sécret']),
  linesOf('x-scope', ['', 'openid', 'groups openid', 'a scope that Dex does not know']),
)

type Jwt =
  | 'valid'
  | 'none'
  | 'expired'
  | 'of another audience'
  | 'of an unknown key'
  | 'forged'
  | 'junk'
  | 'twice'
const jwts = fc.constantFrom<Jwt>(
  'valid',
  'valid',
  'none',
  'expired',
  'of another audience',
  'of an unknown key',
  'forged',
  'junk',
  'twice',
)

function jwtLines(jwt: Jwt, { dex, clock }: BrokerWithDex): string[] {
  const now = clock.wall() / 1000
  const valid = dex.signJwt({ sub: 'alice', aud: 'svc', exp: now + 600 })
  const one = {
    valid,
    none: undefined,
    expired: dex.signJwt({ sub: 'alice', aud: 'svc', exp: now - 1 }),
    'of another audience': dex.signJwt({ sub: 'alice', aud: 'other', exp: now + 600 }),
    'of an unknown key': foreignKey.jwt({ sub: 'alice', aud: 'svc', exp: now + 600 }),
    forged: valid.slice(0, -8) + (valid.at(-8) === 'A' ? 'B' : 'A') + valid.slice(-7),
    junk: 'not.a.jwt',
    twice: valid,
  }[jwt]
  if (one === undefined) return []
  const line = ['Authorization', `Bearer ${one}`]
  return jwt === 'twice' ? [...line, ...line] : line
}

/** What may differ between two verdicts on one request is the token itself: two requests to Dex, two tokens. */
function withoutToken(verdict: Verdict): object {
  return verdict.outcome === 'allow' ? { ...verdict, set: Object.keys(verdict.set) } : verdict
}

test('one request gets one verdict, whether it has to wait or not', async () => {
  await using running = await startBrokerWithDex()
  const { dex, clock } = running
  const common = { tokenEndpoint: dex.tokenEndpoint, clock, tokenHeaders: { expires_in: 'x-expires-in' } }
  const variants: readonly TokenBrokerOptions[] = [
    common,
    { ...common, client: orders },
    { ...common, client: { clientId: 'orders' }, gate: { jwksUri: dex.jwksUri, audience: 'svc' } },
    { ...common, client: orders, gate: { jwksUri: dex.jwksUri, audience: 'svc' } },
  ]
  const seen = { waited: new Set<string>(), atOnce: new Set<string>() }
  const decide = async (broker: TokenBroker, request: CheckRequest) => {
    const verdict = broker.decide(request)
    const isPromise = verdict instanceof Promise
    const settled = await verdict
    seen[isPromise ? 'waited' : 'atOnce'].add(settled.outcome === 'allow' ? 'allow' : settled.code)
    return { verdict: settled, isPromise }
  }
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...variants), jwts, credentials, async (options, jwt, parts) => {
      const request = { headers: [...jwtLines(jwt, running), ...parts.flat()] }
      await using broker = new TokenBroker(options)
      const cold = await decide(broker, request)
      const warm = await decide(broker, request)
      expect(withoutToken(warm.verdict)).toEqual(withoutToken(cold.verdict))
      if (warm.verdict.outcome === 'allow') {
        // The token is cached, and the JWT known: nothing is left to wait for.
        expect([cold.isPromise, warm.isPromise]).toEqual([true, false])
        expect(warm.verdict).toEqual(cold.verdict)
      }
      await using other = new TokenBroker(options)
      expect(withoutToken(await other.check(request))).toEqual(withoutToken(cold.verdict))
    }),
    {
      numRuns: 400,
      // Chance meets these ways seldom, and what was seen must not depend on it.
      examples: [
        [variants[0] as TokenBrokerOptions, 'none', [[], [], []]],
        [variants[2] as TokenBrokerOptions, 'valid', [[], [], []]],
      ],
    },
  )
  // The property says nothing about a way that was never taken.
  expect(seen.atOnce).toEqual(new Set(['allow', 'invalid_request', 'invalid_token', 'missing_credentials']))
  expect([...seen.waited].sort()).toEqual([
    'allow',
    'invalid_request',
    'invalid_token',
    'missing_credentials',
    'token_request_rejected',
  ])
}, 120_000)
