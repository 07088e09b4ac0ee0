import { describe, expect, test } from 'vitest'
import type { IssuerOptions } from '../../src/options/broker-options.ts'
import { caughtUp, failureOf, orders, startBrokerWithDex, until } from '../broker-with-dex.ts'
import { CallersKey } from './callers-issuer.ts'
import { createBroker, type IdentityProvider, startIdentityProvider } from './identity-provider.ts'

const refused = { code: 'invalid_token', status: 401 }

function entry(name: string, { iss, jwksUri }: IdentityProvider, more: Partial<IssuerOptions> = {}) {
  return { name, issuer: iss, jwksUri, ...more }
}

describe('the iss of a JWT', () => {
  test('selects its issuer, whose name the caller has, and no other key set is fetched', async () => {
    await using staff = await startIdentityProvider()
    await using partners = await startIdentityProvider()
    await using running = createBroker({ issuers: [entry('staff', staff), entry('partners', partners)] })
    expect(await running.broker.verify(partners.jwt())).toMatchObject({
      issuer: 'partners',
      subject: 'alice',
    })
    expect(staff.requests).toEqual([])
    expect(await running.broker.verify(staff.jwt())).toMatchObject({ issuer: 'staff' })
    expect([staff.requests, partners.requests]).toEqual([['/keys'], ['/keys']])
  })

  test('that names no issuer is refused without a request, and the log names all that are expected', async () => {
    await using staff = await startIdentityProvider()
    await using partners = await startIdentityProvider()
    await using running = createBroker({ issuers: [entry('staff', staff), entry('partners', partners)] })
    for (const iss of [
      'https://other.example.com',
      `${staff.iss}/`,
      staff.iss.toUpperCase(),
      '',
      undefined,
      7,
    ]) {
      expect(await failureOf(running.broker.verify(staff.jwt({ iss })))).toMatchObject(refused)
    }
    expect([...staff.requests, ...partners.requests]).toEqual([])
    expect(running.warnings()[0]?.fields).toMatchObject({
      reason: 'issuer',
      expectedIss: [staff.iss, partners.iss],
      hint: expect.stringContaining('issuers'),
    })
  })

  test('that names an issuer binds the JWT to its keys, though another one has a key with the same kid', async () => {
    await using staff = await startIdentityProvider({ kid: 'same' })
    await using partners = await startIdentityProvider({ kid: 'same' })
    await using running = createBroker({ issuers: [entry('staff', staff), entry('partners', partners)] })
    const forged = staff.key.jwt({ iss: partners.iss, sub: 'alice', exp: 1_893_459_600 })
    for (const _ of ['first', 'again']) {
      expect(await failureOf(running.broker.verify(forged))).toMatchObject(refused)
    }
    expect(staff.requests).toEqual([])
    expect(running.warnings()[0]?.fields).toMatchObject({ reason: 'signature', issuer: 'partners' })
  })

  test('counts for a JWT that fails there: keys that are down elsewhere change nothing', async () => {
    await using staff = await startIdentityProvider()
    await using partners = await startIdentityProvider()
    partners.publish({ status: 503 })
    await using running = createBroker({ issuers: [entry('staff', staff), entry('partners', partners)] })
    expect(await failureOf(running.broker.verify(partners.jwt()))).toMatchObject({ code: 'jwks_unavailable' })
    expect(await running.broker.verify(staff.jwt())).toMatchObject({ issuer: 'staff' })
  })
})

describe('each issuer', () => {
  test('has its own audiences', async () => {
    await using staff = await startIdentityProvider()
    await using partners = await startIdentityProvider()
    await using running = createBroker({
      issuers: [
        entry('staff', staff, { audiences: 'web' }),
        entry('partners', partners, { audiences: ['api', 'batch'] }),
      ],
    })
    await running.broker.verify(staff.jwt({ aud: 'web' }))
    await running.broker.verify(partners.jwt({ aud: ['batch'] }))
    expect(await failureOf(running.broker.verify(staff.jwt({ aud: 'api' })))).toMatchObject(refused)
    expect(await failureOf(running.broker.verify(partners.jwt({ aud: 'web' })))).toMatchObject(refused)
    expect(running.warnings().map(({ fields }) => fields)).toMatchObject([
      { reason: 'audience', issuer: 'staff', expectedAud: ['web'] },
      { reason: 'audience', issuer: 'partners', expectedAud: ['api', 'batch'] },
    ])
    expect(running.warnings()[1]?.fields['hint']).toContain('issuers.partners.audiences')
  })

  test('has its own algorithms, checked before a key is fetched', async () => {
    await using staff = await startIdentityProvider()
    await using partners = await startIdentityProvider()
    await using running = createBroker({
      issuers: [entry('staff', staff, { algorithms: ['RS256', 'ES384'] }), entry('partners', partners)],
    })
    expect(await failureOf(running.broker.verify(staff.jwt()))).toMatchObject(refused)
    expect(staff.requests).toEqual([])
    expect(running.warnings()[0]?.fields).toMatchObject({ reason: 'algorithm', issuer: 'staff' })
    await running.broker.verify(partners.jwt())
  })

  test('has its own tolerance, also for a JWT that is remembered', async () => {
    await using staff = await startIdentityProvider()
    await using partners = await startIdentityProvider()
    await using running = createBroker({
      gate: { clockToleranceMs: 1_000 },
      issuers: [entry('staff', staff, { clockToleranceMs: 10_000 }), entry('partners', partners)],
    })
    const exp = running.clock.wall() / 1000 + 5
    const jwts = [staff.jwt({ exp }), partners.jwt({ exp })] as const
    for (const jwt of jwts) await running.broker.verify(jwt)
    running.clock.advance(5_999)
    for (const jwt of jwts) await running.broker.verify(jwt)
    running.clock.advance(1)
    await running.broker.verify(jwts[0])
    expect(await failureOf(running.broker.verify(jwts[1]))).toMatchObject(refused)
    running.clock.advance(9_000)
    expect(await failureOf(running.broker.verify(jwts[0]))).toMatchObject(refused)
    expect(running.warnings().map(({ fields }) => [fields['reason'], fields['issuer']])).toEqual([
      ['expired', 'partners'],
      ['expired', 'staff'],
    ])
    const hints = running.warnings().map(({ fields }) => fields['hint'])
    expect(hints).toMatchObject([
      expect.stringContaining('gate.clockToleranceMs'),
      expect.stringContaining('issuers.staff.clockToleranceMs'),
    ])
  })

  test('has its own groups claim', async () => {
    await using staff = await startIdentityProvider()
    await using partners = await startIdentityProvider()
    await using running = createBroker({
      issuers: [entry('staff', staff, { groupsClaim: 'roles' }), entry('partners', partners)],
    })
    const claims = { roles: ['admin'], groups: 'guest' }
    expect((await running.broker.verify(staff.jwt(claims))).groups).toEqual(['admin'])
    expect((await running.broker.verify(partners.jwt(claims))).groups).toEqual(['guest'])
  })

  test('is named by the hint about its key set', async () => {
    await using staff = await startIdentityProvider()
    staff.publish({ status: 404 })
    await using running = createBroker({ issuers: [entry('staff', staff)] })
    await failureOf(running.broker.verify(staff.jwt()))
    expect(running.log.lines.at(-1)).toMatchObject({
      level: 'error',
      fields: { issuer: 'staff', hint: expect.stringContaining('issuers.staff.jwksUri') },
    })
    staff.publish({ status: 200 })
    running.clock.advance(15_000)
    await failureOf(running.broker.verify(staff.jwt({}, { kid: 'unknown' })))
    expect(running.warnings()[0]?.fields['hint']).toContain('issuers.staff.jwksUri')
  })

  test('may have a separate transport for its requests', async () => {
    await using staff = await startIdentityProvider()
    await using partners = await startIdentityProvider()
    const urls: string[] = []
    await using running = createBroker({
      issuers: [
        {
          name: 'staff',
          issuer: staff.iss,
          transport: (url, request) => {
            urls.push(url)
            return fetch(url, request) as never
          },
        },
        entry('partners', partners),
      ],
    })
    await running.broker.verify(staff.jwt())
    await running.broker.verify(partners.jwt())
    expect(urls).toEqual([staff.discoveryUrl, staff.jwksUri])
  })

  test('may call itself by a name that is no URL', async () => {
    await using staff = await startIdentityProvider({ iss: 'accounts.example.com' })
    await using running = createBroker({ issuers: [entry('staff', staff)] })
    expect(await running.broker.verify(staff.jwt())).toMatchObject({ issuer: 'staff' })
  })

  test('is not warned of for endpoints on another host, and needs no token endpoint and no grant', async () => {
    await using staff = await startIdentityProvider()
    await using other = await startIdentityProvider()
    other.publish({ keys: [staff.key.jwk()] })
    staff.publish({
      document: {
        jwks_uri: other.jwksUri,
        token_endpoint: undefined,
        grant_types_supported: ['authorization_code'],
      },
    })
    await using running = createBroker({ issuers: [{ name: 'staff', issuer: staff.iss }] })
    await running.broker.verify(staff.jwt())
    expect(running.log.lines.filter(({ level }) => level !== 'info' && level !== 'debug')).toEqual([])
  })
})

describe('the memory of verified JWTs', () => {
  test('is one for all issuers, and each JWT in it depends on the key set of its issuer alone', async () => {
    await using staff = await startIdentityProvider({ algorithm: 'ES384' })
    await using partners = await startIdentityProvider({ algorithm: 'ES384' })
    await using running = createBroker({
      issuers: [entry('staff', staff), entry('partners', partners)],
      gate: { jwksMaxAgeMs: 20_000 },
    })
    const isRemembered = (jwt: string) =>
      !(running.broker.decide({ headers: ['authorization', jwt] }) instanceof Promise)
    const [ofStaff, ofPartners] = [staff.jwt(), partners.jwt()]
    await running.broker.verify(ofStaff)
    running.clock.advance(10_000)
    await running.broker.verify(ofPartners)
    expect([ofStaff, ofPartners].map(isRemembered)).toEqual([true, true])
    staff.publish({ keys: [new CallersKey('ES384', { kid: 'next' }).jwk()] })
    running.clock.advance(10_000)
    expect(await failureOf(running.broker.verify(ofStaff))).toMatchObject(refused)
    expect([ofStaff, ofPartners].map(isRemembered)).toEqual([false, true])
  })

  test('has room for verifiedJwtsMaxEntries JWTs of all issuers together', async () => {
    await using staff = await startIdentityProvider({ algorithm: 'ES384' })
    await using partners = await startIdentityProvider({ algorithm: 'ES384' })
    await using running = createBroker({
      issuers: [entry('staff', staff), entry('partners', partners)],
      gate: { verifiedJwtsMaxEntries: 1 },
    })
    const [ofStaff, ofPartners] = [staff.jwt(), partners.jwt()]
    await running.broker.verify(ofStaff)
    await running.broker.verify(ofPartners)
    const waits = (jwt: string) => running.broker.decide({ headers: ['authorization', jwt] })
    expect(waits(ofPartners)).not.toBeInstanceOf(Promise)
    const waiting = waits(ofStaff)
    expect(waiting).toBeInstanceOf(Promise)
    await waiting
  })
})

describe("an entry that is the broker's own Dex", () => {
  test('shares its discovery and its key set: one request for each', async () => {
    await using running = await startBrokerWithDex(({ issuer }) => ({
      tokenEndpoint: undefined,
      issuer,
      client: orders,
      issuers: [{ name: 'machines', issuer, audiences: 'svc' }],
    }))
    const { broker, dex, clock } = running
    await broker.getToken()
    const exp = clock.wall() / 1000 + 60
    const jwt = dex.signJwt({ iss: dex.issuer, aud: 'svc', exp })
    expect(await broker.verify(jwt)).toMatchObject({ issuer: 'machines' })
    await caughtUp(dex)
    expect(dex.counts).toMatchObject({ discoveryRequests: 1, keysRequests: 1, tokenRequests: 1 })
    expect(broker.missing()).toEqual([])
  })

  test('shares the key set of the option jwksUri, with its own name for the same URL too', async () => {
    for (const own of [undefined, 'same'] as const) {
      await using running = await startBrokerWithDex(({ issuer, jwksUri }) => ({
        issuer,
        jwksUri,
        client: orders,
        issuers: [{ name: 'machines', issuer, ...(own && { jwksUri }) }],
      }))
      const { broker, dex, clock } = running
      await broker.getToken()
      await broker.verify(dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 60 }))
      await caughtUp(dex)
      expect(dex.counts).toMatchObject({ discoveryRequests: 0, keysRequests: 1 })
    }
  })

  test('with a separate key set finds dead tokens by it: no second key set is fetched', async () => {
    await using running = await startBrokerWithDex(({ issuer, jwksUri }) => ({
      issuer,
      client: orders,
      issuers: [{ name: 'machines', issuer, jwksUri }],
    }))
    const { broker, dex, clock } = running
    await broker.getToken()
    await broker.verify(dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 60 }))
    await dex.restart()
    clock.advance(11_000)
    await broker.verify(dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 60 }))
    expect(broker.peekToken()).toBeUndefined()
    await caughtUp(dex)
    expect(dex.counts).toMatchObject({ discoveryRequests: 0, keysRequests: 2 })
  })
})

describe('the broker', () => {
  test('is ready when the keys of all issuers are loaded', async () => {
    await using staff = await startIdentityProvider()
    await using partners = await startIdentityProvider()
    partners.publish({ status: 503 })
    await using running = createBroker({ issuers: [entry('staff', staff), entry('partners', partners)] })
    expect(running.broker.missing()).toEqual(['keys'])
    await running.broker.verify(staff.jwt())
    await until(() => running.log.lines.some(({ level }) => level === 'error'))
    expect(running.broker.missing()).toEqual(['keys'])
    partners.publish({ status: 200 })
    running.clock.advance(15_000)
    await running.broker.verify(partners.jwt())
    expect(running.broker.missing()).toEqual([])
  })

  test('sends no token to an endpoint of any issuer', async () => {
    await using staff = await startIdentityProvider()
    await using partners = await startIdentityProvider()
    await using running = createBroker({
      issuers: [entry('staff', staff), { name: 'partners', issuer: partners.iss }],
    })
    await running.broker.verify(partners.jwt())
    for (const url of [staff.jwksUri, partners.jwksUri, partners.discoveryUrl]) {
      expect([url, running.broker.asksAt(new URL(url))]).toEqual([url, true])
    }
    expect(running.broker.asksAt(new URL(`${staff.server.url}/orders`))).toBe(false)
  })

  test('warns once in ten seconds for a reason and an issuer', async () => {
    await using staff = await startIdentityProvider()
    await using partners = await startIdentityProvider()
    await using running = createBroker({ issuers: [entry('staff', staff), entry('partners', partners)] })
    for (const issuer of [staff, partners, staff, partners]) {
      await failureOf(running.broker.verify(issuer.jwt({ exp: 1 })))
    }
    running.clock.advance(10_000)
    await failureOf(running.broker.verify(staff.jwt({ exp: 1 })))
    expect(running.warnings().map(({ fields }) => [fields['issuer'], fields['count']])).toEqual([
      ['staff', 1],
      ['partners', 1],
      ['staff', 2],
    ])
  })

  test('needs a gate or issuers to verify', async () => {
    await using running = createBroker({})
    await expect(running.broker.verify('x')).rejects.toThrow('verify needs the option gate or issuers')
    const request = { headers: [] }
    await expect(running.broker.authenticate(request)).rejects.toThrow(TypeError)
  })
})
