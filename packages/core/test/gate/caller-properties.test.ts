import { encodeDexSubject } from '@broker/dev-dex'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CallersIssuer } from '../../src/gate/callers-issuer.ts'
import { dexMachineOf } from '../../src/gate/dex-machine.ts'
import { verifiedCaller } from '../../src/gate/verified-caller.ts'
import type { IssuerOptions } from '../../src/options/broker-options.ts'
import { CallersKey } from './callers-issuer.ts'
import { createBroker, type IdentityProvider, startIdentityProvider } from './identity-provider.ts'

const id = fc.oneof(
  fc.string({ minLength: 1, maxLength: 300 }),
  fc.constantFrom('ci', 'a', '\u00e9', '\ud83d\ude00'),
)
const anyAud = (own: string) =>
  fc.oneof(fc.constant(own), fc.constant([own]), fc.array(fc.oneof(fc.constant(own), id)), fc.anything())
const group = fc.oneof(
  fc.string(),
  id.map(text => `client:${text}`),
  fc.constantFrom('client:ci', 'client:', 'Client:ci', ' client:ci'),
)
const anyGroups = fc.oneof(group, fc.array(fc.oneof(group, fc.anything())), fc.anything())

function issuer(isDex: boolean): CallersIssuer {
  const rules = {
    audiences: [],
    machineAudiences: 'any',
    isDex,
    clockToleranceMs: 0,
    algorithms: ['ES256'],
    groupsClaim: 'groups',
  } as const
  // Only these parts are read.
  return { name: 'idp', rules } as unknown as CallersIssuer
}

/** Claims as they arrive: what JSON cannot carry is gone. */
function asJson(claims: Record<string, unknown>): Record<string, unknown> | undefined {
  try {
    return JSON.parse(JSON.stringify(claims))
  } catch {
    return undefined
  }
}

function callerBy(isDex: boolean, claims: Record<string, unknown>) {
  const arrived = asJson(claims)
  fc.pre(arrived !== undefined)
  return verifiedCaller(issuer(isDex), arrived as Record<string, unknown>)
}

describe('no claims make a machine', () => {
  test('of a user of Dex, whatever the connector', () => {
    // A connector has a name in Dex; only a machine has none.
    fc.assert(
      fc.property(
        id,
        id,
        fc.infiniteStream(fc.nat(3)),
        anyGroups,
        fc.anything(),
        (user, connector, picks, groups, more) => {
          const sub = encodeDexSubject(user, connector)
          const auds = [user, [user], ['x', user], [user, 'x']]
          const aud = auds[picks.next().value as number]
          const { clientId, groups: have } = callerBy(true, {
            ...(more as object),
            sub,
            aud,
            azp: user,
            groups,
          })
          expect(clientId).toBeUndefined()
          expect(have.filter(name => name.startsWith('client:'))).toEqual([])
        },
      ),
      { numRuns: 500 },
    )
  })

  test('of a caller whose issuer is not Dex', () => {
    fc.assert(
      fc.property(id, anyGroups, fc.anything(), (client, groups, more) => {
        const claims = {
          ...(more as object),
          sub: encodeDexSubject(client),
          aud: client,
          azp: client,
          groups,
        }
        const { clientId, groups: have } = callerBy(false, claims)
        expect(clientId).toBeUndefined()
        expect(have.filter(name => name.startsWith('client:'))).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('of a client other than the one that the token is for', () => {
    fc.assert(
      fc.property(id, id, (client, other) => {
        fc.pre(client !== other)
        const sub = encodeDexSubject(client)
        expect(dexMachineOf({ sub, aud: other })).toBeUndefined()
        expect(dexMachineOf({ sub, aud: [client, 'x'], azp: other })).toBeUndefined()
      }),
    )
  })

  test('of any subject but the one that Dex gives the client', () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map(each => Buffer.from(each))
    const sub = fc.oneof(
      fc.string(),
      bytes.map(each => each.toString('base64url')),
      bytes.map(each => each.toString('base64')),
      fc.tuple(id, bytes).map(([client, rest]) => {
        const subject = Buffer.from(encodeDexSubject(client), 'base64url')
        return Buffer.concat([subject, rest]).toString('base64url')
      }),
    )
    fc.assert(
      fc.property(sub, id, (subject, client) => {
        const expected = encodeDexSubject(client)
        const withEmptyConnector = Buffer.concat([Buffer.from(expected, 'base64url'), Buffer.from([0x12, 0])])
        const isDexs = [expected, withEmptyConnector.toString('base64url')].includes(subject)
        expect(dexMachineOf({ sub: subject, aud: client })).toBe(isDexs ? client : undefined)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a machine', () => {
  test('of Dex is always known, and has one virtual group, its own', () => {
    fc.assert(
      fc.property(id, anyGroups, (client, groups) => {
        const { clientId, groups: have } = callerBy(true, {
          sub: encodeDexSubject(client),
          aud: client,
          groups,
        })
        expect(clientId).toBe(client)
        expect(have.filter(name => name.startsWith('client:'))).toEqual([`client:${client}`])
        expect(Object.isFrozen(have)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

test('whatever the claims are, groups are strings, and one of them is virtual only for a machine', () => {
  const claims = id.chain(own =>
    fc.record(
      {
        sub: fc.oneof(
          fc.constant(encodeDexSubject(own)),
          fc.constant(encodeDexSubject(own, 'mock')),
          fc.anything(),
        ),
        aud: anyAud(own),
        azp: fc.oneof(fc.constant(own), fc.anything()),
        groups: anyGroups,
      },
      { requiredKeys: [] },
    ),
  )
  fc.assert(
    fc.property(claims, fc.boolean(), (said, isDex) => {
      const { clientId, groups, subject } = callerBy(isDex, said)
      expect(groups.every(name => typeof name === 'string')).toBe(true)
      expect(typeof subject).toBe('string')
      const virtual = groups.filter(name => name.startsWith('client:'))
      expect(virtual).toEqual(clientId === undefined ? [] : [`client:${clientId}`])
      if (!isDex) expect(clientId).toBeUndefined()
    }),
    { numRuns: 2_000 },
  )
})

test('a JWT passes by the keys of the issuer that it names, and by no others', async () => {
  // All key sets use the same ids, so that only the issuer tells the keys apart.
  const providers = await Promise.all(
    ['ES256', 'ES256', 'ES256', 'RS256'].map(algorithm =>
      startIdentityProvider({ algorithm: algorithm as 'ES256', kid: 'same' }),
    ),
  )
  const second = new CallersKey('ES256', { kid: 'second' })
  const stranger = new CallersKey('ES256', { kid: 'same' })
  providers[0]?.publish({ keys: [providers[0].key.jwk(), second.jwk()] })
  const keys = [...providers.map(({ key }) => key), second, stranger]
  const isses = [...providers.map(({ iss }) => iss), 'https://other.example.com', undefined]
  /** The key sets as they are published. */
  const published = (provider: IdentityProvider | undefined) =>
    provider === undefined ? [] : provider === providers[0] ? [provider.key, second] : [provider.key]
  const jwt = fc.record({
    key: fc.constantFrom(...keys),
    iss: fc.constantFrom(...isses),
    kid: fc.constantFrom('same', 'second', undefined),
    alg: fc.constantFrom('ES256', 'RS256', undefined),
  })
  const configured = fc
    .subarray(providers, { minLength: 1 })
    .chain(some =>
      fc
        .tuple(
          ...some.map(provider =>
            fc.constantFrom<Partial<IssuerOptions>>(
              { issuer: provider.iss, jwksUri: provider.jwksUri },
              { issuer: provider.iss },
              { discoveryUrl: provider.discoveryUrl },
            ),
          ),
        )
        .map(options => ({ some, options })),
    )
  await fc.assert(
    fc.asyncProperty(
      configured,
      fc.array(jwt, { minLength: 1, maxLength: 12 }),
      async ({ some, options }, jwts) => {
        const issuers = options.map((entry, index) => ({ name: `idp-${index}`, ...entry })) as IssuerOptions[]
        await using running = createBroker({ issuers })
        for (const { key, iss, kid, alg } of [...jwts, ...jwts]) {
          const token = key.jwt({ iss, sub: 'alice', exp: 1_893_459_600 }, { kid, ...(alg && { alg }) })
          const named = some.findIndex(provider => provider.iss === iss)
          const outcome = await running.broker.verify(token).then(
            ({ issuer }) => issuer,
            ({ code }) => code,
          )
          const isSignedByNamed =
            published(some[named]).includes(key) && (alg ?? key.algorithm) === key.algorithm
          const isFound = kid === key.kid || (kid === undefined && published(some[named]).length === 1)
          expect(outcome).toBe(isSignedByNamed && isFound ? `idp-${named}` : 'invalid_token')
        }
      },
    ),
    { numRuns: 60 },
  )
  for (const provider of providers) await provider[Symbol.asyncDispose]()
})
