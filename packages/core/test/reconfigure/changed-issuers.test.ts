import { type DevDex, startDevDex } from '@broker/dev-dex'
import { describe, expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { caughtUp, failureOf, orders, until } from '../broker-with-dex.ts'
import { startIdentityProvider } from '../gate/identity-provider.ts'
import {
  claimsOf,
  HeldTransport,
  type ReconfigurableBroker,
  startReconfigurable,
} from './reconfigurable-broker.ts'

/** Three Dexes know a client of this id, each with its own secret. */
const reports = (secret: string) => ({ clientId: 'reports', clientSecret: secret, dex: 'other' })

interface Dexes extends ReconfigurableBroker {
  readonly first: DevDex
  readonly second: DevDex
}

async function start(
  optionsOf: (first: DevDex, second: DevDex) => Partial<TokenBrokerOptions>,
): Promise<Dexes> {
  const dexOf = (secret: string) =>
    startDevDex({
      algorithm: 'ES256',
      clients: [{ id: 'reports', secret }],
      now: () => Date.parse('2030-01-01'),
    })
  const [first, second] = await Promise.all([dexOf('secret of the first'), dexOf('secret of the second')])
  const running = await startReconfigurable(dex => ({
    tokenEndpoint: undefined,
    issuer: dex.issuer,
    client: orders,
    ...optionsOf(first, second),
  }))
  return {
    ...running,
    first,
    second,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await Promise.all([first.close(), second.close()])
    },
  }
}

const ofFirst = (first: DevDex) => ({
  clients: { reports: reports('secret of the first') },
  issuers: [{ name: 'other', issuer: first.issuer }],
})
const ofSecond = (second: DevDex) => ({
  clients: { reports: reports('secret of the second') },
  issuers: [{ name: 'other', issuer: second.issuer }],
})

function secretsSentTo(dex: DevDex): string[] {
  return dex.tokenRequests.map(({ headers }) => {
    const credentials = Buffer.from(headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString()
    return decodeURIComponent((credentials.split(':')[1] ?? '').replaceAll('+', ' '))
  })
}

describe('an issuer whose name now belongs to another Dex', () => {
  test('gives the tokens of the other one from then on', async () => {
    await using running = await start(ofFirst)
    const { broker, first, second } = running
    expect(claimsOf(await broker.getToken({ client: 'reports' }))['iss']).toBe(first.issuer)
    running.reconfigure(ofSecond(second))
    expect(broker.peekToken({ client: 'reports' })).toBeUndefined()
    expect(claimsOf(await broker.getToken({ client: 'reports' }))['iss']).toBe(second.issuer)
    running.reconfigure()
    expect(claimsOf(await broker.getToken({ client: 'reports' }))['iss']).toBe(first.issuer)
    await caughtUp(running.dex)
    expect([first.counts.tokenRequests, second.counts.tokenRequests]).toEqual([1, 1])
  })

  test('ends a token request under way at the Dex for which it was made', async () => {
    const held = new HeldTransport()
    await using running = await start(first => ({ ...ofFirst(first), transport: held.transport }))
    const { broker, first, second } = running
    held.hold()
    const early = broker.getToken({ client: 'reports' })
    await until(() => held.waiting === 1)
    running.reconfigure({ ...ofSecond(second), transport: held.transport })
    const late = broker.getToken({ client: 'reports' })
    await until(() => held.waiting === 2)
    held.release()
    expect(claimsOf(await early)['iss']).toBe(first.issuer)
    expect(claimsOf(await late)['iss']).toBe(second.issuer)
    expect(claimsOf(await broker.getToken({ client: 'reports' }))['iss']).toBe(second.issuer)
    expect([secretsSentTo(first), secretsSentTo(second)]).toEqual([
      ['secret of the first'],
      ['secret of the second'],
    ])
  })

  test('gets no credentials of the old Dex from a check that waited for the gate', async () => {
    await using callers = await startIdentityProvider()
    const held = new HeldTransport()
    await using running = await start(first => ({
      clients: { reports: reports('secret of the first') },
      chooseClient: () => ({ client: 'reports' }),
      issuers: [
        { name: 'callers', issuer: callers.iss, jwksUri: callers.jwksUri, transport: held.transport },
        { name: 'other', issuer: first.issuer, tokenEndpoint: first.tokenEndpoint, jwksUri: first.jwksUri },
      ],
    }))
    const { broker, first, second } = running
    held.hold()
    const check = () => broker.check({ headers: ['authorization', `Bearer ${callers.jwt()}`] })
    const early = check()
    await until(() => held.waiting === 1)
    const issuersAt = ({ issuer, tokenEndpoint, jwksUri }: DevDex) => [
      { name: 'callers', issuer: callers.iss, jwksUri: callers.jwksUri, transport: held.transport },
      { name: 'other', issuer, tokenEndpoint, jwksUri },
    ]
    running.reconfigure({ clients: { reports: reports('secret of the second') }, issuers: issuersAt(second) })
    const late = check()
    held.release()
    expect(callers.requests).toEqual([])
    expect([await early, await late]).toMatchObject([{ outcome: 'allow' }, { outcome: 'allow' }])
    // One key set request for both: that issuer has not changed.
    expect(callers.requests).toEqual(['/keys'])
    expect([secretsSentTo(first), secretsSentTo(second)]).toEqual([
      ['secret of the first'],
      ['secret of the second'],
    ])
  })

  test('judges JWTs by the keys of the other one', async () => {
    await using running = await start(ofFirst)
    const { broker, first, second, clock } = running
    const jwtOf = (dex: DevDex) => dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 600 })
    expect(await broker.verify(jwtOf(first))).toMatchObject({ issuer: 'other' })
    running.reconfigure(ofSecond(second))
    expect((await failureOf(broker.verify(jwtOf(first)))).code).toBe('invalid_token')
    expect(await broker.verify(jwtOf(second))).toMatchObject({ issuer: 'other' })
    // A JWT that claims the new issuer and is signed by the old one.
    const forged = first.signJwt({ iss: second.issuer, exp: clock.wall() / 1000 + 600 })
    expect((await failureOf(broker.verify(forged))).code).toBe('invalid_token')
  })
})

describe('an issuer that is renamed', () => {
  test('keeps the tokens of its clients, whose endpoint is the same', async () => {
    await using running = await start(ofFirst)
    const { broker, first } = running
    const token = await broker.getToken({ client: 'reports' })
    running.reconfigure({
      clients: { reports: { ...reports('secret of the first'), dex: 'renamed' } },
      issuers: [{ name: 'renamed', issuer: first.issuer }],
    })
    expect(await broker.getToken({ client: 'reports' })).toBe(token)
  })

  test('gives its new name to callers at once, also of a JWT that was verified before', async () => {
    await using running = await start(ofFirst)
    const { broker, first, clock } = running
    const jwt = first.signJwt({ iss: first.issuer, exp: clock.wall() / 1000 + 600 })
    expect(await broker.verify(jwt)).toMatchObject({ issuer: 'other' })
    running.reconfigure({ clients: {}, issuers: [{ name: 'renamed', issuer: first.issuer }] })
    expect(await broker.verify(jwt)).toMatchObject({ issuer: 'renamed' })
  })
})

describe('an issuer that is added or removed', () => {
  test('leaves the other issuers and the own Dex as they are', async () => {
    await using running = await start(ofFirst)
    const { broker, dex, first, second, clock, log } = running
    const own = await broker.getToken()
    const jwt = first.signJwt({ iss: first.issuer, exp: clock.wall() / 1000 + 600 })
    await broker.verify(jwt)
    await caughtUp(dex)
    const counts = () => [dex.counts, first.counts]
    const before = counts()
    const both = [...ofFirst(first).issuers, { name: 'second', issuer: second.issuer }]
    running.reconfigure({ issuers: both })
    const ofSecondDex = second.signJwt({ iss: second.issuer, exp: clock.wall() / 1000 + 600 })
    expect(await broker.verify(ofSecondDex)).toMatchObject({ issuer: 'second' })
    expect(await broker.verify(jwt)).toMatchObject({ issuer: 'other' })
    expect(await broker.getToken()).toBe(own)
    running.reconfigure()
    expect((await failureOf(broker.verify(ofSecondDex))).code).toBe('invalid_token')
    expect(await broker.verify(jwt)).toMatchObject({ issuer: 'other' })
    await caughtUp(dex)
    await caughtUp(first)
    expect(counts()).toEqual(before)
    expect(log.lines.filter(({ message }) => message === 'reconfigured')).toMatchObject([
      {
        fields: {
          renewed: ['verified JWTs'],
          added: ['issuer second', 'discovery second', 'key set second', 'rules of issuer second'],
          removed: [],
        },
      },
      { fields: { added: [], removed: expect.arrayContaining(['key set second']) } },
    ])
  })

  test('still answers the caller that waits for its key set', async () => {
    await using callers = await startIdentityProvider()
    const held = new HeldTransport()
    await using running = await start(() => ({
      issuers: [{ name: 'callers', issuer: callers.iss, transport: held.transport }],
    }))
    held.hold()
    const early = running.broker.verify(callers.jwt())
    await until(() => held.waiting === 1)
    running.reconfigure({ issuers: undefined })
    held.release()
    expect(await early).toMatchObject({ issuer: 'callers', subject: 'alice' })
    await expect(running.broker.verify(callers.jwt())).rejects.toThrow(TypeError)
  })

  test('is asked for no key when the token of a request under way arrives', async () => {
    const held = new HeldTransport()
    await using running = await start(first => ({ ...ofFirst(first), transport: held.transport }))
    const { broker, dex, first } = running
    await broker.getToken()
    held.hold()
    const early = broker.getToken({ client: 'reports' })
    await until(() => held.waiting === 1)
    running.reconfigure({ clients: {}, issuers: undefined, transport: held.transport })
    held.release()
    expect(claimsOf(await early)['iss']).toBe(first.issuer)
    await caughtUp(dex)
    await caughtUp(first)
    expect(first.counts).toMatchObject({ discoveryRequests: 1, tokenRequests: 1, keysRequests: 0 })
  })

  test('is ended by close while a caller waits for its key set', async () => {
    await using callers = await startIdentityProvider()
    callers.server.answer = () => {}
    await using running = await start(() => ({ issuers: [{ name: 'callers', issuer: callers.iss }] }))
    const { broker } = running
    const early = failureOf(broker.verify(callers.jwt()))
    await until(() => callers.server.underWay === 1)
    running.reconfigure({ issuers: undefined })
    await broker.close()
    expect(await early).toMatchObject({ code: 'jwks_unavailable', message: 'the broker is closed' })
    await until(() => callers.server.underWay === 0)
  })
})

describe('the Dex of the broker', () => {
  test('that moves gets the next requests, and the old one gets none', async () => {
    await using running = await start(() => ({}))
    const { broker, dex, first } = running
    await broker.getToken()
    await caughtUp(dex)
    const { counts } = dex
    const client = { clientId: 'reports', clientSecret: 'secret of the first' }
    running.reconfigure({ issuer: first.issuer, client })
    expect(claimsOf(await broker.getToken())['iss']).toBe(first.issuer)
    expect([broker.asksAt(new URL(first.tokenEndpoint)), broker.asksAt(new URL(dex.tokenEndpoint))]).toEqual([
      true,
      false,
    ])
    await caughtUp(dex)
    expect(dex.counts).toEqual(counts)
  })

  test('whose token endpoint overrides discovery from now on is asked there', async () => {
    await using running = await start(() => ({}))
    const { broker, first } = running
    await broker.getToken()
    running.reconfigure({
      tokenEndpoint: first.tokenEndpoint,
      client: { clientId: 'reports', clientSecret: 'secret of the first' },
    })
    await broker.getToken()
    expect(first.counts.tokenRequests).toBe(1)
  })
})
