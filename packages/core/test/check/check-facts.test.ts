import { describe, expect, test } from 'vitest'
import type { CheckFacts } from '../../src/check/check-facts.ts'
import type { CheckRequest } from '../../src/check/check-request.ts'
import type { Choice } from '../../src/check/choose-client.ts'
import type { Verdict } from '../../src/check/verdict.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { type BrokerWithDex, billing, orders, startBrokerWithDex } from '../broker-with-dex.ts'
import { claimsOf, gateOf, portal, startBrokerWithUsers } from '../exchange/broker-with-users.ts'
import { CallersKey } from '../gate/callers-issuer.ts'

const own = ['x-client-id', 'billing', 'x-client-secret', 'billing-secret']

function startGated(options: Partial<TokenBrokerOptions> = {}): Promise<BrokerWithDex> {
  return startBrokerWithDex(dex => ({ client: orders, gate: { jwksUri: dex.jwksUri }, ...options }))
}

function startChoosing(choice: Choice): Promise<BrokerWithDex> {
  return startGated({ clients: { invoices: billing }, chooseClient: () => choice })
}

function jwtOf({ dex, clock }: BrokerWithDex, claims: Record<string, unknown> = {}): string {
  return dex.signJwt({ sub: 'alice', exp: clock.wall() / 1000 + 3600, ...claims })
}

/** The facts about a check with a JWT of alice, and its verdict. */
async function factsOf(
  running: BrokerWithDex,
  headers: readonly string[] = ['authorization', jwtOf(running)],
  request: Omit<CheckRequest, 'headers'> = {},
): Promise<{ facts: CheckFacts; verdict: Verdict }> {
  const facts: CheckFacts = {}
  const verdict = await running.broker.check({ headers, facts, ...request })
  return { facts, verdict }
}

describe('the facts about a check', () => {
  test('name the caller, the client, the expiry of the token, and where it came from', async () => {
    await using running = await startGated()
    const { expiresAt } = await running.broker.getToken()
    running.broker.invalidate(await running.broker.getToken())
    const first = await factsOf(running)
    const known = { issuer: 'default', subject: 'alice', client: 'default', expiresAt }
    expect(first.facts).toEqual({ ...known, cache: 'miss' })
    const second = await factsOf(running)
    expect(second.facts).toEqual({ ...known, cache: 'hit' })
    expect(second.verdict).toBe(first.verdict)
  })

  test('are complete when a check that waited for the keys and for the token is', async () => {
    await using running = await startGated()
    const facts: CheckFacts = {}
    const verdict = running.broker.decide({ headers: ['authorization', jwtOf(running)], facts })
    expect(verdict).toBeInstanceOf(Promise)
    expect(facts).toEqual({})
    await verdict
    expect(facts).toMatchObject({ subject: 'alice', client: 'default', cache: 'miss' })
    expect(facts.expiresAt).toBeGreaterThan(running.clock.wall())
  })

  test("tell apart the caller's own credentials, also where one half of them is configured", async () => {
    await using none = await startBrokerWithDex()
    expect((await factsOf(none, own)).facts).toMatchObject({ client: 'caller', cache: 'miss' })
    await using half = await startBrokerWithDex({ client: { clientSecret: 'billing-secret' } })
    expect((await factsOf(half, own)).facts).toMatchObject({ client: 'caller' })
    await using chosen = await startChoosing({ client: 'caller', rule: 'partners' })
    const headers = ['authorization', jwtOf(chosen), ...own]
    expect((await factsOf(chosen, headers)).facts).toMatchObject({ client: 'caller', rule: 'partners' })
  })

  test('name the rule and its client', async () => {
    await using running = await startChoosing({ client: 'invoices', rule: 'billing' })
    const { facts } = await factsOf(running)
    expect(facts).toMatchObject({ rule: 'billing', client: 'invoices', cache: 'miss' })
    expect((await factsOf(running)).facts).toEqual({ ...facts, cache: 'hit' })
  })

  test("have the expiry of the caller's own JWT when it passes, and no client", async () => {
    await using running = await startChoosing({ pass: true, rule: 'people' })
    const exp = running.clock.wall() / 1000 + 100
    const { facts } = await factsOf(running, ['authorization', jwtOf(running, { exp })])
    expect(facts).toEqual({ rule: 'people', issuer: 'default', subject: 'alice', expiresAt: exp * 1000 })
  })

  test('name the client of an exchange', async () => {
    await using running = await startBrokerWithUsers(idp => ({
      ...gateOf(idp),
      client: portal,
      chooseClient: () => ({ exchange: { connectorId: 'staff', client: 'default' } }),
    }))
    const jwt = running.jwtOf('alice')
    for (const cache of ['miss', 'hit']) {
      const facts: CheckFacts = {}
      await running.broker.check({ headers: ['authorization', jwt], facts })
      expect(facts).toMatchObject({ client: 'default', subject: claimsOf(jwt)['sub'], cache })
    }
  })

  test('say that a token is stale, whether the check waited or not', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const { expiresAt } = await running.broker.getToken()
    running.dex.setFault('token', { kind: 'html', status: 503 })
    running.clock.advance(3_569_000)
    for (let check = 0; check < 3; check++) {
      const { facts, verdict } = await factsOf(running, [])
      expect(verdict.outcome).toBe('allow')
      expect(facts).toEqual({ client: 'default', cache: 'stale', expiresAt })
    }
  })

  test('of a refusal name what was known by then', async () => {
    await using denied = await startChoosing({ deny: 'never', rule: 'nobody' })
    const { facts, verdict } = await factsOf(denied)
    expect(verdict).toMatchObject({ code: 'forbidden' })
    expect(facts).toEqual({ rule: 'nobody', issuer: 'default', subject: 'alice', reason: 'never' })

    await using wrong = await startBrokerWithDex()
    const rejected = await factsOf(wrong, ['x-client-id', 'billing', 'x-client-secret', 'wrong'])
    expect(rejected.verdict).toMatchObject({ code: 'token_request_rejected' })
    const reason = 'the client credentials or the scope were rejected'
    expect(rejected.facts).toEqual({ client: 'caller', cache: 'miss', reason })
    expect((await factsOf(wrong, [])).facts).toEqual({
      reason: 'x-client-id and x-client-secret are missing',
    })
  })

  test('name the caller that lacks a group, at the first check and when the JWT is remembered', async () => {
    await using running = await startBrokerWithDex(dex => ({
      client: orders,
      gate: { jwksUri: dex.jwksUri, requiredGroups: ['admins'] },
    }))
    const jwt = jwtOf(running)
    for (let check = 0; check < 2; check++) {
      const { facts, verdict } = await factsOf(running, ['authorization', jwt])
      expect(verdict).toMatchObject({ code: 'forbidden' })
      expect(facts).toEqual({ issuer: 'default', subject: 'alice', reason: 'group' })
    }
  })

  test('never name a caller whom no verified JWT proves', async () => {
    await using running = await startGated()
    const exp = running.clock.wall() / 1000
    const foreign = new CallersKey('ES256', { kid: 'nobody-knows-it' })
    for (const [jwt, reason] of [
      [jwtOf(running, { exp: exp - 1 }), 'expired'],
      [foreign.jwt({ sub: 'alice', exp: exp + 600 }), 'unknown_key'],
      [`${jwtOf(running).slice(0, -8)}AAAAAAAA`, 'signature'],
      ['junk', 'malformed'],
    ] as const) {
      const { facts, verdict } = await factsOf(running, ['authorization', jwt])
      expect(verdict).toMatchObject({ code: 'invalid_token' })
      expect(facts).toEqual({ reason })
    }
  })

  test('never hold a token, a JWT or a secret', async () => {
    await using running = await startChoosing({ client: 'caller', rule: 'partners' })
    const jwt = jwtOf(running)
    const { facts, verdict } = await factsOf(running, ['authorization', jwt, ...own])
    const text = JSON.stringify(facts)
    const token = verdict.outcome === 'allow' ? verdict.set['authorization'] : undefined
    expect(token).toMatch(/^Bearer ./)
    for (const secret of [jwt, 'billing-secret', String(token).slice('Bearer '.length)])
      expect(text).not.toContain(secret)
  })
})
