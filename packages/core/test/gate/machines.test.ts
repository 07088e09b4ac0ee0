import { encodeDexSubject, startDevDex } from '@broker/dev-dex'
import { describe, expect, test } from 'vitest'
import { dexMachineOf } from '../../src/gate/dex-machine.ts'
import type { IssuerOptions, TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { failureOf, orders, startBrokerWithDex } from '../broker-with-dex.ts'
import { createBroker, type IdentityProvider, startIdentityProvider } from './identity-provider.ts'

const refused = { code: 'invalid_token', status: 401 }
const machine = { sub: encodeDexSubject('ci-pipeline'), aud: 'ci-pipeline' }

/** The caller that an issuer with these options proves by a JWT with these claims. */
async function callerOf(
  claims: Record<string, unknown>,
  options: Partial<IssuerOptions> = { isDex: true },
  brokerOptions: (idp: IdentityProvider) => Partial<TokenBrokerOptions> = () => ({}),
) {
  await using idp = await startIdentityProvider()
  await using running = createBroker({
    issuers: [{ name: 'idp', issuer: idp.iss, jwksUri: idp.jwksUri, ...options }],
    ...brokerOptions(idp),
  })
  return await running.broker.verify(idp.jwt(claims))
}

describe('the subject of a machine', () => {
  test.each([
    ['ci-pipeline', 'CgtjaS1waXBlbGluZQ'],
    ['no-groups', 'Cgluby1ncm91cHM'],
    ['weird:id +/%', 'Cgx3ZWlyZDppZCArLyU'],
  ])('of Dex for %s is known', (id, sub) => {
    expect(dexMachineOf({ sub, aud: id })).toBe(id)
  })

  test.each([
    ['0-385-28089-0', 'Cg0wLTM4NS0yODA4OS0wEgRtb2Nr'],
    ['08a8684b-db88-4b73-90a9-3cd1661f5466', 'CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjYSBWxvY2Fs'],
  ])('is not that of the user %s', (id, sub) => {
    expect(dexMachineOf({ sub, aud: id })).toBeUndefined()
  })

  test.each([1, 126, 127, 128, 129, 255, 256, 16_383, 16_384, 20_000])('may have %i bytes', length => {
    const id = 'i'.repeat(length)
    expect(dexMachineOf({ sub: encodeDexSubject(id), aud: id })).toBe(id)
    expect(dexMachineOf({ sub: encodeDexSubject(id, 'mock'), aud: id })).toBeUndefined()
  })

  test('may name an empty connector, and may have any Unicode', () => {
    const sub = Buffer.from('\n\x05\u00e9t\u00e9\x12\x00').toString('base64url')
    expect(dexMachineOf({ sub, aud: '\u00e9t\u00e9' })).toBe('\u00e9t\u00e9')
  })

  const bytes = (...values: number[]) => Buffer.from(values).toString('base64url')
  test.each([
    ['padded', 'CgFh=='],
    ['in other base64', '+/8'],
    ['with spare bits', 'CgFi'.slice(0, 3)],
    ['with something after it', bytes(0x0a, 1, 0x61, 0)],
    ['with an unknown field', bytes(0x0a, 1, 0x61, 0x18, 1)],
    ['with the id twice', bytes(0x0a, 1, 0x61, 0x0a, 1, 0x61)],
    ['with the connector first', bytes(0x12, 0, 0x0a, 1, 0x61)],
    ['with a length that goes beyond it', bytes(0x0a, 2, 0x61)],
    ['with a length in more bytes than it needs', bytes(0x0a, 0x81, 0, 0x61)],
    ['with a connector', bytes(0x0a, 1, 0x61, 0x12, 1, 0x62)],
    ['without an id', bytes(0x12, 1, 0x61)],
    ['as plain text', 'a'],
    ['empty', ''],
    ['as a number', 7],
    ['missing', undefined],
  ])('%s is no machine, and no error', (_, sub) => {
    expect(dexMachineOf({ sub, aud: 'a' })).toBeUndefined()
  })

  test('that is not UTF-8, or stands for an id that is not, is no machine', () => {
    expect(dexMachineOf({ sub: bytes(0x0a, 1, 0xff), aud: '\ufffd' })).toBeUndefined()
    expect(dexMachineOf({ sub: encodeDexSubject('\ufffd'), aud: '\ud800' })).toBeUndefined()
  })

  test.each<[unknown, unknown, boolean]>([
    ['a', undefined, true],
    [['a'], undefined, true],
    [['a'], 'b', true],
    [['b', 'a'], 'a', true],
    ['b', 'a', false],
    [['b'], 'a', false],
    [['a', 'b'], undefined, false],
    [['a', 'b'], 'b', false],
    [[], 'a', true],
    [undefined, 'a', false],
    [[7], 'a', false],
    [{ 0: 'a' }, 'a', false],
  ])('must be the client of the token: aud %j, azp %j: %s', (aud, azp, isMachine) => {
    expect(dexMachineOf({ sub: encodeDexSubject('a'), aud, azp }) !== undefined).toBe(isMachine)
  })

  test('without an id is no machine', () => {
    expect(dexMachineOf({ sub: '', aud: '' })).toBeUndefined()
    expect(dexMachineOf({ sub: 'CgA', aud: '' })).toBeUndefined()
  })
})

describe('a machine', () => {
  test('with a token of the client_credentials grant has its client id and its group', async () => {
    await using running = await startBrokerWithDex(({ issuer }) => ({
      issuer,
      client: { ...orders, scope: 'groups' },
      gate: {},
    }))
    const { accessToken } = await running.broker.getToken()
    expect(await running.broker.verify(accessToken)).toEqual({
      issuer: 'default',
      subject: encodeDexSubject('orders'),
      groups: ['shop', 'client:orders'],
      clientId: 'orders',
      claims: expect.objectContaining({ aud: 'orders' }),
      token: accessToken,
    })
  })

  test('with a token for peers is known by azp', async () => {
    await using running = await startBrokerWithDex(({ issuer }) => ({
      issuer,
      client: { ...orders, audiences: ['billing'] },
      gate: { audience: 'billing' },
    }))
    const { accessToken } = await running.broker.getToken()
    expect(await running.broker.verify(accessToken)).toMatchObject({
      clientId: 'orders',
      groups: ['client:orders'],
      claims: { aud: ['billing', 'orders'], azp: 'orders' },
    })
  })

  test('is the same one the second time, and its groups are frozen', async () => {
    await using running = await startBrokerWithDex(({ issuer }) => ({ issuer, client: orders, gate: {} }))
    const { accessToken } = await running.broker.getToken()
    const first = await running.broker.verify(accessToken)
    const second = await running.broker.authenticate({ headers: ['authorization', `Bearer ${accessToken}`] })
    expect(second).toEqual(first)
    expect(second.groups).toBe(first.groups)
    expect(Object.isFrozen(first.groups)).toBe(true)
  })
})

describe('groups', () => {
  test.each<[unknown, readonly string[]]>([
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    ['a', ['a']],
    [['a', 7, null, ['b'], { c: 'd' }], ['a']],
    [7, []],
    [null, []],
    [{ a: 'b' }, []],
    [undefined, []],
    [
      ['client:ci-pipeline', 'client:', 'a', 'clients:x'],
      ['a', 'clients:x'],
    ],
    ['client:ci-pipeline', []],
  ])('are read from %j', async (groups, expected) => {
    expect((await callerOf({ groups })).groups).toEqual(expected)
    expect((await callerOf({ groups }, { isDex: false })).groups).toEqual(expected)
    expect((await callerOf({ ...machine, groups })).groups).toEqual([...expected, 'client:ci-pipeline'])
  })

  test('may have a name that objects have', async () => {
    expect((await callerOf({}, { groupsClaim: 'constructor' })).groups).toEqual([])
    expect((await callerOf({ constructor: ['a'] }, { groupsClaim: 'constructor' })).groups).toEqual(['a'])
  })

  test('do not make a machine of a user of Dex', async () => {
    const sub = encodeDexSubject('ci-pipeline', 'mock')
    const { clientId, groups } = await callerOf({ ...machine, sub, groups: ['client:ci-pipeline'] })
    expect([clientId, groups]).toEqual([undefined, []])
  })
})

describe('the subject of a caller', () => {
  test.each<[unknown, string]>([
    ['alice', 'alice'],
    [undefined, ''],
    [7, ''],
    [['alice'], ''],
  ])('%j is %j', async (sub, subject) => {
    expect((await callerOf({ sub })).subject).toBe(subject)
  })
})

describe('an issuer is Dex', () => {
  const isMachine = async (...args: Parameters<typeof callerOf>) =>
    (await callerOf(...args)).clientId === 'ci-pipeline'

  test.each<[string, Partial<IssuerOptions>, boolean]>([
    ['with isDex', { isDex: true }, true],
    ['with machineAudiences', { machineAudiences: 'any' }, true],
    ['with a list of machineAudiences', { machineAudiences: ['x'] }, true],
    ['not by itself', {}, false],
    ['not with isDex false', { isDex: false }, false],
  ])('%s', async (_, options, expected) => {
    expect(await isMachine(machine, options)).toBe(expected)
  })

  test('when a client names it as its dex, unless the options say that it is not', async () => {
    const named = (idp: IdentityProvider): Partial<TokenBrokerOptions> => ({
      clients: { ci: { clientId: 'ci', clientSecret: 's', dex: 'idp' } },
      issuers: [{ name: 'idp', issuer: idp.iss, jwksUri: idp.jwksUri }],
    })
    expect(await isMachine(machine, {}, named)).toBe(true)
    expect(
      await isMachine(machine, {}, idp => ({
        ...named(idp),
        issuers: [{ name: 'idp', issuer: idp.iss, jwksUri: idp.jwksUri, isDex: false }],
      })),
    ).toBe(false)
  })

  test("when it is the broker's own Dex, by its issuer or by its key set", async () => {
    expect(await isMachine(machine, {}, ({ iss }) => ({ issuer: iss, tokenEndpoint: undefined }))).toBe(true)
    expect(await isMachine(machine, {}, ({ jwksUri }) => ({ jwksUri }))).toBe(true)
    expect(await isMachine(machine, {}, () => ({ issuer: 'https://dex.example.com' }))).toBe(false)
  })

  test.each<[string, (idp: IdentityProvider) => Partial<TokenBrokerOptions>, boolean]>([
    ['with its own keys', ({ iss: issuer }) => ({ issuer, gate: {} }), true],
    ['with the keys in jwksUri', ({ jwksUri }) => ({ jwksUri, gate: {} }), true],
    ['of another place', ({ iss: issuer, jwksUri }) => ({ issuer, gate: { jwksUri, issuer } }), true],
    ['of another issuer', ({ jwksUri }) => ({ issuer: 'https://dex.example.com', gate: { jwksUri } }), false],
    ['of an unknown issuer', ({ jwksUri }) => ({ gate: { jwksUri } }), false],
    ['that names machineAudiences', ({ jwksUri }) => ({ gate: { jwksUri, machineAudiences: 'any' } }), true],
  ])('behind a gate %s: %#', async (_, options, expected) => {
    expect(await isMachine(machine, {}, idp => ({ issuers: undefined, ...options(idp) }))).toBe(expected)
  })
})

describe('machineAudiences', () => {
  const user = { ...machine, sub: encodeDexSubject('alice', 'mock') }
  const pass = (claims: Record<string, unknown>, machineAudiences: IssuerOptions['machineAudiences']) =>
    callerOf(claims, { audiences: 'svc', isDex: true, machineAudiences }).then(
      () => true,
      error => {
        expect(error).toMatchObject(refused)
        return false
      },
    )

  test.each<[IssuerOptions['machineAudiences'], unknown, boolean]>([
    [undefined, 'ci-pipeline', false],
    ['any', 'ci-pipeline', true],
    [['ci-pipeline'], 'ci-pipeline', true],
    [['other', 'ci-pipeline'], ['ci-pipeline'], true],
    [['other'], 'ci-pipeline', false],
    [['other'], ['other', 'ci-pipeline'], true],
  ])('%j for aud %j admits a machine: %s', async (machineAudiences, aud, passes) => {
    expect(await pass({ ...machine, aud, azp: 'ci-pipeline' }, machineAudiences)).toBe(passes)
    expect(await pass({ ...user, aud, azp: 'ci-pipeline' }, machineAudiences)).toBe(false)
  })

  test('leave the usual audiences to everybody', async () => {
    expect(await pass({ ...machine, aud: 'svc' }, 'any')).toBe(true)
    expect(await pass({ ...user, aud: 'svc' }, ['x'])).toBe(true)
  })

  test('admit a real token through the gate alone, before and after its key is known', async () => {
    await using running = await startBrokerWithDex(({ issuer }) => ({
      issuer,
      client: orders,
      gate: { audience: 'svc', machineAudiences: ['orders'] },
    }))
    const { accessToken } = await running.broker.getToken()
    for (const _ of ['first', 'again']) {
      expect(await running.broker.verify(accessToken)).toMatchObject({ clientId: 'orders' })
    }
  })

  test('are judged before a key is fetched', async () => {
    await using dex = await startDevDex({ algorithm: 'ES256' })
    await using running = createBroker({
      issuers: [{ name: 'dex', issuer: dex.issuer, audiences: 'svc', machineAudiences: ['x'] }],
    })
    const jwt = dex.signJwt({ iss: dex.issuer, ...machine, exp: 1_893_459_600 })
    expect(await failureOf(running.broker.verify(jwt))).toMatchObject(refused)
    expect(dex.counts).toMatchObject({ discoveryRequests: 0, keysRequests: 0 })
    expect(running.warnings()[0]?.fields).toMatchObject({ reason: 'audience', expectedAud: ['svc'] })
  })
})
