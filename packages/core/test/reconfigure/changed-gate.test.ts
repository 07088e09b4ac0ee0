import { describe, expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { billing, caughtUp, orders } from '../broker-with-dex.ts'
import { claimsOf, type ReconfigurableBroker, startReconfigurable } from './reconfigurable-broker.ts'

const start = (options: Partial<TokenBrokerOptions> = {}) =>
  startReconfigurable(dex => ({
    client: orders,
    jwksUri: dex.jwksUri,
    gate: { audience: 'svc' },
    ...options,
  }))

function jwtOf({ dex, clock }: ReconfigurableBroker, claims: object = {}): string {
  const exp = clock.wall() / 1000 + 600
  return dex.signJwt({ iss: dex.issuer, sub: 'alice', aud: 'svc', groups: ['shop'], exp, ...claims })
}

const checkWith = ({ broker }: ReconfigurableBroker, jwt: string, header = 'authorization') =>
  broker.check({ headers: [header, `Bearer ${jwt}`] })

describe('a JWT that was verified before', () => {
  const changes: readonly [string, Partial<TokenBrokerOptions>, string][] = [
    ['another audience', { gate: { audience: 'other' } }, 'invalid_token'],
    ['another issuer', { gate: { audience: 'svc', issuer: 'https://other.example.com' } }, 'invalid_token'],
    ['a required group', { gate: { audience: 'svc', requiredGroups: ['admins'] } }, 'forbidden'],
    ['a required scope', { gate: { audience: 'svc', requiredScopes: ['write'] } }, 'forbidden'],
    [
      'a groups claim and a required group',
      { gate: { audience: 'svc', groupsClaim: 'roles', requiredGroups: ['shop'] } },
      'forbidden',
    ],
  ]
  test.each(changes)('is refused at once by %s', async (_, change, code) => {
    await using running = await start()
    const jwt = jwtOf(running)
    expect(await checkWith(running, jwt)).toMatchObject({ outcome: 'allow' })
    await caughtUp(running.dex)
    const { counts } = running.dex
    running.reconfigure(change)
    expect(await checkWith(running, jwt)).toMatchObject({ outcome: 'deny', code })
    running.reconfigure()
    expect(await checkWith(running, jwt)).toMatchObject({ outcome: 'allow' })
    await caughtUp(running.dex)
    expect(running.dex.counts).toEqual(counts)
  })

  test('and was refused passes at once when its group is not required any more', async () => {
    await using running = await start({ gate: { audience: 'svc', requiredGroups: ['admins'] } })
    const jwt = jwtOf(running)
    expect(await checkWith(running, jwt)).toMatchObject({ code: 'forbidden' })
    running.reconfigure({ gate: { audience: 'svc' } })
    expect(await checkWith(running, jwt)).toMatchObject({ outcome: 'allow' })
  })

  test('is expired by the new tolerance', async () => {
    await using running = await start({ gate: { audience: 'svc', clockToleranceMs: 60_000 } })
    const jwt = jwtOf(running, { exp: running.clock.wall() / 1000 - 10 })
    expect(await checkWith(running, jwt)).toMatchObject({ outcome: 'allow' })
    running.reconfigure({ gate: { audience: 'svc' } })
    expect(await checkWith(running, jwt)).toMatchObject({ code: 'invalid_token' })
  })
})

describe('the gate', () => {
  test('that is added refuses callers without a JWT, and removed admits them', async () => {
    await using running = await start({ gate: undefined })
    const { broker } = running
    expect(await broker.check({ headers: [] })).toMatchObject({ outcome: 'allow' })
    running.reconfigure({ gate: { audience: 'svc' } })
    expect(await broker.check({ headers: [] })).toMatchObject({ code: 'invalid_token' })
    expect(await broker.verify(jwtOf(running))).toMatchObject({ subject: 'alice' })
    running.reconfigure()
    expect(await broker.check({ headers: [] })).toMatchObject({ outcome: 'allow' })
    await expect(broker.verify(jwtOf(running))).rejects.toThrow('verify needs the option gate or issuers')
  })

  test('that reads another header reads it at once, and strips it', async () => {
    await using running = await start()
    const jwt = jwtOf(running)
    expect(await checkWith(running, jwt)).toMatchObject({ outcome: 'allow' })
    running.reconfigure({ gate: { audience: 'svc', jwtHeader: 'x-jwt' } })
    expect(running.broker.credentialHeaders).toContain('x-jwt')
    expect(await checkWith(running, jwt)).toMatchObject({ code: 'invalid_token' })
    expect(await checkWith(running, jwt, 'x-jwt')).toMatchObject({
      outcome: 'allow',
      remove: expect.arrayContaining(['x-jwt']),
    })
  })

  test('with other ages of keys keeps the key set and judges it by them', async () => {
    await using running = await start()
    const { broker, dex, clock } = running
    await broker.verify(jwtOf(running))
    await caughtUp(dex)
    const { keysRequests } = dex.counts
    clock.advance(120_000)
    running.reconfigure({ gate: { audience: 'svc', jwksMaxAgeMs: 1_000_000 } })
    await broker.verify(jwtOf(running))
    expect(dex.counts.keysRequests).toBe(keysRequests)
    running.reconfigure({ gate: { audience: 'svc', jwksMaxAgeMs: 60_000 } })
    await broker.verify(jwtOf(running))
    expect(dex.counts.keysRequests).toBe(keysRequests + 1)
  })

  test('names another realm in its challenge', async () => {
    await using running = await start()
    running.reconfigure({ realm: 'orders' })
    const verdict = await running.broker.check({ headers: [] })
    expect(verdict).toMatchObject({
      headers: { 'www-authenticate': expect.stringContaining('realm="orders"') },
    })
  })
})

describe('rules', () => {
  test('that are replaced choose by the new function from the next check on', async () => {
    const clients = { invoices: billing, reports: orders }
    await using running = await start({
      gate: undefined,
      clients,
      chooseClient: () => ({ client: 'reports' }),
    })
    const audOf = async () => {
      const verdict = await running.broker.check({ headers: [] })
      return verdict.outcome === 'allow'
        ? claimsOf({ accessToken: verdict.set['authorization']?.slice('Bearer '.length) ?? '' })['aud']
        : verdict
    }
    expect(await audOf()).toBe('orders')
    running.reconfigure({ chooseClient: () => ({ client: 'invoices', rule: 'new' }) })
    expect(await audOf()).toBe('billing')
    running.reconfigure({ chooseClient: () => ({ deny: 'closed today' }) })
    expect(await audOf()).toMatchObject({ outcome: 'deny', code: 'forbidden' })
    running.reconfigure({ chooseClient: undefined })
    expect(await audOf()).toBe('orders')
  })

  test('set and strip other headers of the backend at once', async () => {
    await using running = await start({
      gate: undefined,
      backendHeaders: ['x-team'],
      chooseClient: () => ({ client: 'default', set: { 'x-team': 'shop' } }),
    })
    const headers = ['x-team', 'forged', 'x-role', 'forged']
    expect(await running.broker.check({ headers })).toMatchObject({ set: { 'x-team': 'shop' } })
    running.reconfigure({
      backendHeaders: ['x-role'],
      chooseClient: () => ({ client: 'default', set: { 'x-role': 'admin' } }),
    })
    expect(await running.broker.check({ headers })).toMatchObject({ set: { 'x-role': 'admin' } })
    running.reconfigure({ backendHeaders: ['x-role'], chooseClient: () => ({ client: 'default' }) })
    expect(await running.broker.check({ headers })).toMatchObject({
      set: { authorization: expect.anything() },
      remove: expect.arrayContaining(['x-role']),
    })
  })

  test('about client ids and scopes of callers count at once', async () => {
    await using running = await start({ gate: undefined, client: undefined })
    const headers = ['x-client-id', 'orders', 'x-client-secret', 'orders-secret']
    expect(await running.broker.check({ headers })).toMatchObject({ outcome: 'allow' })
    running.reconfigure({ allowedClientIds: ['billing'] })
    expect(await running.broker.check({ headers })).toMatchObject({ code: 'forbidden' })
  })
})
