import { encodeDexSubject } from '@broker/dev-dex'
import { describe, expect, test } from 'vitest'
import type { Choice, ExchangeChoice } from '../../src/check/choose-client.ts'
import type { Verdict } from '../../src/check/verdict.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import {
  type BrokerWithUsers,
  claimsOf,
  gateOf,
  portal,
  reports,
  startBrokerWithUsers,
} from '../exchange/broker-with-users.ts'

const staff = { connectorId: 'staff', client: 'default' } as const

function startChoosing(
  choice: Choice | (() => Choice),
  options: Partial<TokenBrokerOptions> = {},
): Promise<BrokerWithUsers> {
  return startBrokerWithUsers(idp => ({
    ...gateOf(idp),
    client: { ...portal, scope: 'openid' },
    clients: { reports },
    backendHeaders: ['x-caller'],
    chooseClient: typeof choice === 'function' ? choice : () => choice,
    ...options,
  }))
}

function check(running: BrokerWithUsers, jwt: string): Promise<Verdict> {
  return running.broker.check({ headers: ['authorization', `Bearer ${jwt}`] })
}

function bearerIn(verdict: Verdict): string {
  if (verdict.outcome !== 'allow') throw new Error(`${verdict.code}: ${verdict.body}`)
  return verdict.set['authorization']?.slice('Bearer '.length) ?? ''
}

describe('the choice of an exchange', () => {
  test("sets the caller's token of Dex in place of the caller's JWT", async () => {
    await using running = await startChoosing({
      exchange: staff,
      set: { 'x-caller': 'alice' },
      rule: 'people',
    })
    const jwt = running.jwtOf('alice')
    const verdict = await check(running, jwt)
    expect(verdict).toMatchObject({ outcome: 'allow', rule: 'people', set: { 'x-caller': 'alice' } })
    expect(verdict).toMatchObject({ remove: ['x-client-id', 'x-client-secret', 'x-scope'] })
    expect(claimsOf(bearerIn(verdict))).toMatchObject({
      aud: 'portal',
      sub: encodeDexSubject(String(claimsOf(jwt)['sub']), 'staff'),
    })
    expect(running.dex.tokenRequests[0]?.form['scope']).toBe('openid')
  })

  test('shares its token with exchange, and a cached check is the same verdict without a promise', async () => {
    await using running = await startChoosing({ exchange: staff })
    const jwt = running.jwtOf('alice')
    const verdict = await check(running, jwt)
    expect(running.broker.decide({ headers: ['authorization', jwt] })).toBe(verdict)
    const token = await running.broker.exchange({ subjectToken: jwt, connectorId: 'staff' })
    expect(token.accessToken).toBe(bearerIn(verdict))
    expect(running.dex.counts.exchangeRequests).toBe(1)
  })

  test('is another token for each choice, also when the object is the same and its content changes', async () => {
    const choices = [
      staff,
      { ...staff, connectorId: 'partners' },
      { ...staff, client: 'reports' },
      { ...staff, scope: 'email' },
      { ...staff, scope: '' },
      { ...staff, audiences: ['orders'] },
    ]
    const exchange: Record<string, unknown> = {}
    let index = 0
    await using running = await startChoosing(() => {
      for (const name of Object.keys(exchange)) delete exchange[name]
      Object.assign(exchange, choices[index++ % choices.length])
      return { exchange } as never as ExchangeChoice
    })
    const jwt = running.jwtOf('alice')
    const tokens: string[] = []
    for (const _ of [...choices, ...choices]) tokens.push(bearerIn(await check(running, jwt)))
    expect(new Set(tokens).size).toBe(choices.length)
    expect(tokens.slice(choices.length)).toEqual(tokens.slice(0, choices.length))
    expect(running.dex.tokenRequests.map(({ form }) => [form['connector_id'], form['scope']])).toEqual([
      ['staff', 'openid'],
      ['partners', 'openid'],
      ['staff', undefined],
      ['staff', 'email'],
      ['staff', undefined],
      ['staff', 'openid audience:server:client_id:orders'],
    ])
  })

  test('works with more scopes than are remembered for a JWT', async () => {
    let index = 0
    await using running = await startChoosing(() => ({
      exchange: { ...staff, scope: `scope-${index++ % 9}` },
    }))
    const jwt = running.jwtOf('alice')
    const tokens: string[] = []
    for (let round = 0; round < 18; round++) tokens.push(bearerIn(await check(running, jwt)))
    expect(new Set(tokens).size).toBe(9)
    expect(tokens.slice(9)).toEqual(tokens.slice(0, 9))
  })

  test('without memory of verified JWTs is the same token', async () => {
    await using running = await startBrokerWithUsers(idp => ({
      gate: { ...gateOf(idp).gate, verifiedJwtsMaxEntries: 0 },
      chooseClient: () => ({ exchange: staff }),
    }))
    const jwt = running.jwtOf('alice')
    expect(bearerIn(await check(running, jwt))).toBe(bearerIn(await check(running, jwt)))
    expect(running.dex.counts.exchangeRequests).toBe(1)
  })

  test('of a caller whom Dex does not accept is 403, with the rule in no answer', async () => {
    await using running = await startChoosing({ exchange: staff, rule: 'people' })
    const nameless = running.jwtOf('alice', { username: '' })
    expect(await check(running, nameless)).toMatchObject({ outcome: 'deny', code: 'forbidden', status: 403 })
  })

  test('of a JWT without sub is 401, and the log says why', async () => {
    await using running = await startChoosing({ exchange: staff })
    const jwt = running.idp.signJwt({
      iss: running.idp.issuer,
      aud: 'web',
      exp: running.clock.wall() / 1000 + 60,
    })
    expect(await check(running, jwt)).toMatchObject({
      code: 'invalid_token',
      status: 401,
      headers: { 'www-authenticate': expect.stringContaining('error="invalid_token"') },
    })
    expect(running.log.lines.find(({ message }) => message === 'JWTs refused')).toMatchObject({
      fields: { reason: 'claims', why: 'sub is missing or not a string' },
    })
  })

  test.each([
    [
      'no gate',
      { gate: undefined },
      staff,
      'the choice exchanges the JWT of the caller, and the broker has no gate',
    ],
    ['a text', {}, 'staff', 'the choice has an exchange that is not an object'],
    ['no client', {}, { connectorId: 'staff' }, 'the choice has an exchange without a client'],
    ['no connector', {}, { client: 'default' }, 'the choice has an exchange that has no connectorId'],
    [
      'a subject token',
      {},
      { ...staff, subjectToken: 'x' },
      'the choice has an exchange that has the unknown member "subjectToken"',
    ],
    [
      'another type',
      {},
      { ...staff, subjectTokenType: 'jwt' },
      'the choice has an exchange that has a subjectTokenType other than id_token and access_token',
    ],
    [
      'an unknown client',
      {},
      { ...staff, client: 'nobody' },
      'the exchange of the choice is wrong: client: "nobody" is not a client; known clients: default, reports',
    ],
    [
      'the client of the caller',
      {},
      { ...staff, client: 'caller' },
      'the exchange of the choice is wrong: client: "caller" is not a client; known clients: default, reports',
    ],
    [
      'a client without a secret',
      { client: { clientId: 'portal' } },
      staff,
      'the exchange of the choice is wrong: client id or client secret is missing',
    ],
    [
      'a wrong scope',
      {},
      { ...staff, scope: 'é' },
      'the exchange of the choice is wrong: scope has invalid characters',
    ],
    [
      'an audience with a blank',
      {},
      { ...staff, audiences: ['a b'] },
      'the exchange of the choice is wrong: an audience contains a character that a scope cannot contain',
    ],
  ])('that is not usable is a server_error, with %s', async (_, options, exchange, problem) => {
    await using running = await startChoosing({ exchange, rule: 'people' } as never, options)
    expect(await check(running, running.jwtOf('alice'))).toMatchObject({ code: 'server_error', status: 500 })
    expect(running.log.lines.find(({ level }) => level === 'error')).toMatchObject({ fields: { problem } })
    expect(running.dex.counts.tokenRequests).toBe(0)
  })

  test('beside a client is no choice', async () => {
    await using running = await startChoosing({ exchange: staff, client: 'default' } as never)
    expect(await check(running, running.jwtOf('alice'))).toMatchObject({ code: 'server_error' })
    expect(running.log.lines.find(({ level }) => level === 'error')).toMatchObject({
      fields: { problem: 'the choice needs exactly one of client, exchange, pass and deny' },
    })
  })
})
