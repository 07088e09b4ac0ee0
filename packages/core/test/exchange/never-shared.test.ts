import { encodeDexSubject } from '@broker/dev-dex'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CacheKeys } from '../../src/clients/cache-key.ts'
import type { TokenExchange } from '../../src/clients/token-exchange.ts'
import { BrokerError } from '../../src/shared/errors.ts'
import { claimsOf, gateOf, startBrokerWithUsers } from './broker-with-users.ts'

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('a', ':', '1', '.') }))
const exchange: fc.Arbitrary<TokenExchange> = fc.record({
  subject: fc.record({ token: text, issuer: text, subject: text, expiresAt: fc.nat() }),
  subjectTokenType: fc.constantFrom('id_token', 'access_token'),
  connectorId: text,
})
const keys = new CacheKeys('https://dex.example.com/token', 'client_secret_basic', Buffer.from('salt'))
const credentials = { clientId: 'portal', clientSecret: 's', scope: '', configured: true }

test('two exchanges have the same key only if everything that is sent is the same', () => {
  const same = (one: TokenExchange, other: TokenExchange) =>
    one.subject.token === other.subject.token &&
    one.subjectTokenType === other.subjectTokenType &&
    one.connectorId === other.connectorId
  fc.assert(
    fc.property(exchange, exchange, (one, other) => {
      const [first, second] = [one, other].map(each => keys.ofToken({ ...credentials, exchange: each }))
      expect(first === second).toBe(same(one, other))
      expect(first).not.toBe(keys.ofToken(credentials))
    }),
    { numRuns: 2_000 },
  )
})

test('two users have the same share of the cache only if issuer and sub are the same', () => {
  fc.assert(
    fc.property(text, text, text, text, (iss, sub, otherIss, otherSub) => {
      const keyOf = (issuer: string, subject: string) =>
        keys.ofSubject({ issuer, subject, token: '', expiresAt: 0 })
      expect(keyOf(iss, sub) === keyOf(otherIss, otherSub)).toBe(iss === otherIss && sub === otherSub)
    }),
    { numRuns: 2_000 },
  )
})

/** One call of a user: which user, which of that user's JWTs, where and for what. */
const call = fc.record({
  user: fc.constantFrom('alice', 'bob', 'carol', 'alic'),
  jwt: fc.nat(2),
  connectorId: fc.constantFrom('staff', 'partners'),
  scope: fc.constantFrom(undefined, 'openid email', 'email openid', 'openid email groups'),
  way: fc.constantFrom('exchange', 'check'),
})

test('no user ever gets the token of another one, in any order of calls at any time', {
  timeout: 30_000,
}, async () => {
  await using running = await startBrokerWithUsers(idp => ({
    ...gateOf(idp),
    chooseClient: (_, { query }) => {
      const { connectorId, scope } = JSON.parse(decodeURIComponent(query))
      return { exchange: { connectorId, client: 'default', scope } }
    },
  }))
  const jwts = new Map<string, string>()
  const jwtOf = (user: string, index: number) => {
    const name = `${user} ${index}`
    const jwt = jwts.get(name) ?? running.jwtOf(user)
    jwts.set(name, jwt)
    return jwt
  }
  const tokenBy = async (
    { way, connectorId, scope }: { way: string; connectorId: string; scope: string | undefined },
    jwt: string,
  ) => {
    if (way === 'exchange') {
      const token = await running.exchange(jwt, { connectorId, scope }).catch(error => error)
      return BrokerError.is(token) ? token.code : token.accessToken
    }
    const path = `/?${encodeURIComponent(JSON.stringify({ connectorId, scope }))}`
    const verdict = await running.broker.check({ headers: ['authorization', jwt], path })
    return verdict.outcome === 'allow'
      ? (verdict.set['authorization']?.slice('Bearer '.length) ?? '')
      : verdict.code
  }
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 12 }), async calls => {
      // So that no user is slowed down.
      running.clock.advance(30_000)
      if (
        [...jwts].length > 0 &&
        running.clock.wall() > Number(claimsOf([...jwts.values()][0] ?? '')['exp']) * 1000 - 60_000
      )
        jwts.clear()
      await Promise.all(
        calls.map(async each => {
          const jwt = jwtOf(each.user, each.jwt)
          const token = await tokenBy(each, jwt)
          if (token === 'overloaded') return
          const claims = claimsOf(token)
          expect(claims['sub']).toBe(encodeDexSubject(String(claimsOf(jwt)['sub']), each.connectorId))
          expect(claims['email']).toBe(each.scope === undefined ? undefined : `${each.user}@example.com`)
          expect(claims['groups']).toEqual(each.scope?.includes('groups') ? ['team-a'] : undefined)
        }),
      )
    }),
    { numRuns: 60 },
  )
  expect(running.dex.counts.exchangeRequests).toBeGreaterThan(20)
})
