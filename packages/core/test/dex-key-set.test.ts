import { startDevDex } from '@broker/dev-dex'
import { describe, expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../src/options/broker-options.ts'
import { TokenBroker } from '../src/token-broker.ts'
import {
  type BrokerWithDex,
  billing,
  caughtUp,
  failureOf,
  orders,
  startBrokerWithDex,
  until,
} from './broker-with-dex.ts'

/** A token of a client is cached, its key is lost, and another client's token comes from a new one. */
async function loseKey({ broker, dex, clock }: BrokerWithDex): Promise<void> {
  await broker.getToken()
  await until(() => dex.counts.keysRequests === 1)
  await dex.restart()
  clock.advance(11_000)
  await broker.getToken({ ...billing })
}

describe('the option jwksUri', () => {
  test("finds dead tokens where discovery does not lead, without a gate: Dex's own key set", async () => {
    await using running = await startBrokerWithDex(({ issuer, jwksUri }) => ({
      issuer,
      jwksUri,
      client: orders,
    }))
    running.dex.setFault('discovery', { kind: 'reset' })
    await loseKey(running)
    await until(() => running.broker.peekToken() === undefined)
    await caughtUp(running.dex)
    expect(running.dex.counts.discoveryRequests).toBe(0)
    expect(await running.broker.check({ headers: [] })).toMatchObject({ outcome: 'allow' })
  })

  test('finds them with tokenEndpoint alone: the tokens say who their issuer is', async () => {
    await using running = await startBrokerWithDex(({ jwksUri }) => ({ jwksUri, client: orders }))
    await loseKey(running)
    await until(() => running.broker.peekToken() === undefined)
    await caughtUp(running.dex)
    expect(running.dex.counts).toMatchObject({ discoveryRequests: 0, tokenRequests: 2 })
  })

  test("finds them although the gate has the keys of the callers' identity provider", async () => {
    await using callers = await startDevDex({ algorithm: 'ES256' })
    await using running = await startBrokerWithDex(({ jwksUri, issuer }) => ({
      issuer,
      jwksUri,
      client: orders,
      gate: { jwksUri: callers.jwksUri, issuer: callers.issuer },
    }))
    await loseKey(running)
    await until(() => running.broker.peekToken() === undefined)
    await caughtUp(callers)
    expect(callers.counts.keysRequests).toBe(0)
  })

  test('serves a gate without a jwksUri, with one request for both', async () => {
    await using running = await startBrokerWithDex(({ issuer, jwksUri }) => ({
      issuer,
      jwksUri,
      client: orders,
      gate: {},
    }))
    const { broker, dex, clock } = running
    const exp = clock.wall() / 1000 + 60
    await broker.verify(dex.signJwt({ iss: dex.issuer, exp }))
    expect((await failureOf(broker.verify(dex.signJwt({ iss: 'https://other', exp })))).code).toBe(
      'invalid_token',
    )
    await loseKey(running)
    await until(() => broker.peekToken() === undefined)
    await caughtUp(dex)
    expect(dex.counts).toMatchObject({ discoveryRequests: 0, keysRequests: 2 })
  })

  test('wins over discovery for keys, and leaves the token endpoint to it', async () => {
    await using running = await startBrokerWithDex(({ issuer, jwksUri }) => ({
      tokenEndpoint: undefined,
      issuer,
      jwksUri,
      client: orders,
      gate: {},
    }))
    const { broker, dex, clock } = running
    dex.setFault('discovery', {
      kind: 'rewrite',
      rewrite: answer => ({
        ...answer,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ ...JSON.parse(answer.body.toString()), jwks_uri: 'https://dex.invalid/keys' }),
      }),
    })
    await broker.getToken()
    await broker.verify(dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 60 }))
    expect(dex.counts).toMatchObject({ discoveryRequests: 1, keysRequests: 1, tokenRequests: 1 })
  })

  test('is named by the hint when it is wrong', async () => {
    await using running = await startBrokerWithDex(({ issuer, jwksUri }) => ({
      issuer,
      jwksUri: `${jwksUri}/nowhere`,
      gate: {},
    }))
    const { broker, dex, clock, log } = running
    await failureOf(broker.verify(dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 60 })))
    expect(log.lines.at(-1)).toMatchObject({
      level: 'error',
      fields: { hint: expect.stringContaining('correct the path of jwksUri') },
    })
  })

  test('is a place where no token belongs', async () => {
    await using running = await startBrokerWithDex(({ jwksUri }) => ({ jwksUri }))
    expect(running.broker.asksAt(new URL(running.dex.jwksUri))).toBe(true)
  })

  test.each([5, '', 'keys', 'http://dex.example.com/keys', 'https://id:secret@dex.example.com/keys'])(
    'is refused by name: %j',
    jwksUri => {
      const options = {
        tokenEndpoint: 'https://dex.example.com/token',
        jwksUri,
      } as unknown as TokenBrokerOptions
      expect(() => new TokenBroker(options)).toThrow(/^jwksUri /)
      expect(() => new TokenBroker(options)).not.toThrow(/secret@/)
    },
  )
})

describe('with tokenEndpoint alone', () => {
  const warningsOf = ({ log }: BrokerWithDex) =>
    log.lines.filter(
      ({ level, message }) => level === 'warn' && message.startsWith('Dex signs with a new key'),
    )

  test('a new signing key is warned of, because cached tokens of the old key may be invalid', async () => {
    await using running = await startBrokerWithDex({ client: orders })
    const { broker, dex } = running
    const before = await broker.getToken()
    await broker.getToken({ ...billing })
    expect(warningsOf(running)).toEqual([])
    await dex.restart()
    await broker.getToken({ ...billing, scope: 'groups' })
    expect(warningsOf(running)).toMatchObject([
      { fields: { iss: dex.issuer, count: 1, hint: expect.stringMatching(/set issuer or jwksUri/) } },
    ])
    // It may have been a rotation, after which the former key still verifies.
    expect(broker.peekToken()).toBe(before)
  })

  test('a key that was seen before is not warned of again: two replicas of Dex may take turns', async () => {
    await using running = await startBrokerWithDex({ client: orders, cacheMaxEntries: 0 })
    const { broker, dex, clock } = running
    await broker.getToken()
    await dex.rotateKeys()
    for (let token = 0; token < 5; token++) {
      await broker.getToken()
      clock.advance(11_000)
    }
    expect(warningsOf(running)).toHaveLength(1)
  })

  test('nothing is warned of where the key set can be looked at', async () => {
    await using running = await startBrokerWithDex(({ jwksUri }) => ({ jwksUri, client: orders }))
    await loseKey(running)
    expect(warningsOf(running)).toEqual([])
  })
})
