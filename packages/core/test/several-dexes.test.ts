import { type DevDex, startDevDex } from '@broker/dev-dex'
import { describe, expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../src/options/broker-options.ts'
import {
  type BrokerWithDex,
  caughtUp,
  failureOf,
  orders,
  startBrokerWithDex,
  until,
} from './broker-with-dex.ts'

interface TwoDexes extends BrokerWithDex {
  /** The Dex of the client `reports`. */
  readonly other: DevDex
}

/** A broker with its own Dex and with a client of another one, which has the name `other` in `issuers`. */
async function startWithTwo(
  options: (dex: DevDex, other: DevDex) => Partial<TokenBrokerOptions> = () => ({}),
): Promise<TwoDexes> {
  let clock: BrokerWithDex['clock'] | undefined
  const other = await startDevDex({
    algorithm: 'ES256',
    now: () => clock?.wall() ?? 0,
    clients: [
      { id: 'reports', secret: 'reports-secret' },
      { id: 'orders', secret: 'orders-secret' },
    ],
  })
  const running = await startBrokerWithDex(dex => ({
    tokenEndpoint: undefined,
    issuer: dex.issuer,
    client: orders,
    clients: { reports: { clientId: 'reports', clientSecret: 'reports-secret', dex: 'other' } },
    issuers: [{ name: 'other', issuer: other.issuer }],
    ...options(dex, other),
  }))
  clock = running.clock
  return {
    ...running,
    other,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await other.close()
    },
  }
}

describe('a client that names its Dex', () => {
  test('gets its tokens there, and the others from the Dex of the broker', async () => {
    await using running = await startWithTwo()
    const { broker, dex, other } = running
    const [own, ofOther] = await Promise.all([broker.getToken(), broker.getToken({ client: 'reports' })])
    expect(issOf(own.accessToken)).toBe(dex.issuer)
    expect(issOf(ofOther.accessToken)).toBe(other.issuer)
    expect([dex.counts.tokenRequests, other.counts.tokenRequests]).toEqual([1, 1])
    expect([dex.counts.discoveryRequests, other.counts.discoveryRequests]).toEqual([1, 1])
  })

  test('with the same id and secret as a client of another Dex has a separate token', async () => {
    await using running = await startWithTwo(() => ({ clients: { twin: { ...orders, dex: 'other' } } }))
    const { broker, dex, other } = running
    const tokens = [await broker.getToken(), await broker.getToken({ client: 'twin' })]
    expect(tokens.map(({ accessToken }) => issOf(accessToken))).toEqual([dex.issuer, other.issuer])
  })

  test('is unaffected by the circuit of the other Dex', async () => {
    await using running = await startWithTwo()
    const { broker, other } = running
    other.setFault('token', { kind: 'answer', status: 503, body: '' })
    for (let attempt = 0; attempt < 8; attempt++) await failureOf(broker.getToken({ client: 'reports' }))
    expect((await failureOf(broker.getToken({ client: 'reports' }))).code).toBe('overloaded')
    expect(await broker.getToken()).toMatchObject({ tokenType: 'Bearer' })
  })

  test('authenticates there by its own method', async () => {
    await using running = await startWithTwo(() => ({
      clientAuthMethod: 'client_secret_basic',
      clients: {
        post: {
          clientId: 'reports',
          clientSecret: 'reports-secret',
          dex: 'other',
          authMethod: 'client_secret_post',
        },
        basic: { clientId: 'reports', clientSecret: 'reports-secret', dex: 'other' },
      },
    }))
    const { broker, other } = running
    await broker.getToken({ client: 'post' })
    await broker.getToken({ client: 'basic' })
    expect(other.tokenRequests.map(({ form }) => 'client_secret' in form)).toEqual([true, false])
  })

  test('may use a token endpoint that overrides discovery', async () => {
    await using running = await startWithTwo((_, other) => ({
      issuers: [
        {
          name: 'other',
          issuer: 'https://dex.invalid',
          tokenEndpoint: other.tokenEndpoint,
          jwksUri: other.jwksUri,
        },
      ],
    }))
    await running.broker.getToken({ client: 'reports' })
    expect(running.other.counts).toMatchObject({ discoveryRequests: 0, tokenRequests: 1 })
  })

  test('may name one whose issuer is only known by its discovery document', async () => {
    await using running = await startWithTwo((_, other) => ({
      issuers: [{ name: 'other', discoveryUrl: other.discoveryUri }],
    }))
    const { broker, other, clock } = running
    const { accessToken } = await broker.getToken({ client: 'reports' })
    expect(await broker.verify(accessToken)).toMatchObject({ issuer: 'other', clientId: 'reports' })
    expect(other.counts.discoveryRequests).toBe(1)
    await other.restart()
    clock.advance(11_000)
    await failureOf(
      broker.verify(other.signJwt({ iss: other.issuer, exp: clock.wall() / 1000 + 60 }, { kid: 'x' })),
    )
    await until(() => broker.peekToken({ client: 'reports' }) === undefined)
  })

  test('may name one that is called dex, and is not the Dex of the broker', async () => {
    await using running = await startWithTwo((_, other) => ({
      clients: { reports: { clientId: 'reports', clientSecret: 'reports-secret', dex: 'dex' } },
      issuers: [{ name: 'dex', issuer: other.issuer }],
    }))
    const { broker, dex, other } = running
    expect(issOf((await broker.getToken()).accessToken)).toBe(dex.issuer)
    expect(issOf((await broker.getToken({ client: 'reports' })).accessToken)).toBe(other.issuer)
  })

  test('that is the Dex of the broker shares all of it', async () => {
    await using running = await startWithTwo(({ issuer }) => ({
      clients: { twin: { ...orders, dex: 'own' } },
      issuers: [{ name: 'own', issuer }],
    }))
    const { broker, dex } = running
    expect(await broker.getToken({ client: 'twin' })).toBe(await broker.getToken())
    await caughtUp(dex)
    expect(dex.counts).toMatchObject({ discoveryRequests: 1, tokenRequests: 1, keysRequests: 1 })
  })

  test('sends its requests there by the transport of that Dex', async () => {
    const urls: string[] = []
    await using running = await startWithTwo((_, other) => ({
      issuers: [
        {
          name: 'other',
          issuer: other.issuer,
          transport: (url, request) => {
            urls.push(url)
            return fetch(url, request) as never
          },
        },
      ],
    }))
    const { broker, other } = running
    await broker.getToken()
    await broker.getToken({ client: 'reports' })
    await until(() => urls.length === 3)
    expect(urls).toEqual([other.discoveryUri, other.tokenEndpoint, other.jwksUri])
  })
})

describe('another Dex', () => {
  test('that loses its keys takes its own tokens with it, and no token of the Dex of the broker', async () => {
    await using running = await startWithTwo()
    const { broker, other, clock } = running
    const own = await broker.getToken()
    await broker.getToken({ client: 'reports' })
    await until(() => other.counts.keysRequests === 1)
    await other.restart()
    clock.advance(11_000)
    await broker.verify(other.signJwt({ iss: other.issuer, exp: clock.wall() / 1000 + 60 }))
    await until(() => broker.peekToken({ client: 'reports' }) === undefined)
    expect(broker.peekToken()).toBe(own)
  })

  test('issues tokens that do not count as those of the Dex of the broker, whose issuer is not configured', async () => {
    await using running = await startWithTwo((dex, other) => ({
      issuer: undefined,
      tokenEndpoint: dex.tokenEndpoint,
      jwksUri: dex.jwksUri,
      issuers: [
        { name: 'other', issuer: other.issuer },
        { name: 'own', issuer: dex.issuer, jwksUri: dex.jwksUri },
      ],
    }))
    const { broker, dex, clock } = running
    await broker.getToken()
    const ofOther = await broker.getToken({ client: 'reports' })
    await until(() => dex.counts.keysRequests === 1)
    await dex.restart()
    clock.advance(11_000)
    await broker.verify(dex.signJwt({ iss: dex.issuer, exp: clock.wall() / 1000 + 60 }))
    await until(() => broker.peekToken() === undefined)
    expect(broker.peekToken({ client: 'reports' })).toBe(ofOther)
    expect(dex.counts.keysRequests).toBe(2)
  })

  test('issues tokens that hide no new signing key of the Dex of the broker', async () => {
    await using running = await startWithTwo(dex => ({
      issuer: undefined,
      tokenEndpoint: dex.tokenEndpoint,
      clients: {
        reports: { clientId: 'reports', clientSecret: 'reports-secret', dex: 'other' },
        billing: { clientId: 'billing', clientSecret: 'billing-secret' },
      },
    }))
    const { broker, dex, log } = running
    const warnings = () => log.lines.filter(({ message }) => message.startsWith('Dex signs with a new key'))
    await broker.getToken()
    await broker.getToken({ client: 'reports' })
    expect(warnings()).toEqual([])
    await dex.restart()
    await broker.getToken({ client: 'billing' })
    expect(warnings()).toMatchObject([{ fields: { iss: dex.issuer } }])
  })

  test('is a part without which the broker is not ready', async () => {
    await using running = await startWithTwo((dex, other) => ({
      tokenEndpoint: dex.tokenEndpoint,
      issuer: undefined,
      issuers: [{ name: 'other', issuer: other.issuer, jwksUri: other.jwksUri }],
    }))
    expect(running.broker.missing()).toEqual(['endpoints', 'keys'])
    await until(() => running.broker.missing().length === 0)
    expect(running.other.counts).toMatchObject({ discoveryRequests: 1, keysRequests: 1 })
  })

  test('is a place where no token belongs', async () => {
    await using running = await startWithTwo()
    const { broker, other } = running
    await broker.getToken({ client: 'reports' })
    for (const url of [other.tokenEndpoint, other.jwksUri, other.discoveryUri]) {
      expect([url, broker.asksAt(new URL(url))]).toEqual([url, true])
    }
  })

  test('is named by the hints about it', async () => {
    await using running = await startWithTwo()
    const { broker, other } = running
    other.setFault('discovery', { kind: 'answer', status: 404, body: '' })
    expect(await failureOf(broker.getToken({ client: 'reports' }))).toMatchObject({
      hint: { problem: 'no_discovery_document', option: 'issuers.other.issuer' },
    })
    other.clearFaults()
    running.clock.advance(5_000)
    other.setFault('token', { kind: 'answer', status: 404, body: '' })
    expect(await failureOf(broker.getToken({ client: 'reports' }))).toMatchObject({
      hint: { problem: 'path_not_found', option: 'issuers.other.issuer' },
    })
  })

  test('is warned of when its discovery does not list the grant', async () => {
    await using running = await startWithTwo()
    const { broker, other, log } = running
    other.clientCredentialsEnabled = false
    await failureOf(broker.getToken({ client: 'reports' }))
    expect(log.lines.filter(({ message }) => message.includes('does not list'))).toMatchObject([
      { fields: { issuer: other.issuer } },
    ])
  })
})

function issOf(accessToken: string): unknown {
  return JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()).iss
}
