import type { DevDex } from '@broker/dev-dex'
import { describe, expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { billing, caughtUp, failureOf, orders, until } from '../broker-with-dex.ts'
import { HeldTransport, type ReconfigurableBroker, startReconfigurable } from './reconfigurable-broker.ts'

/** Options made anew for each call, as a file that is read again makes them. */
const allOptions = (dex: DevDex): Partial<TokenBrokerOptions> => ({
  tokenEndpoint: undefined,
  issuer: dex.issuer,
  client: { ...orders, audiences: ['billing'] },
  clients: { invoices: { ...billing } },
  issuers: [{ name: 'dex', issuer: dex.issuer, audiences: ['svc'] }],
  gate: { requiredGroups: ['shop'] },
  tokenHeaders: { access_token: ['x-access-token'] },
})

function jwtOf({ dex, clock }: ReconfigurableBroker, claims: object = {}): string {
  const exp = clock.wall() / 1000 + 600
  return dex.signJwt({ iss: dex.issuer, sub: 'alice', aud: 'svc', groups: ['shop'], exp, ...claims })
}

describe('a reconfiguration with the same options', () => {
  test('keeps tokens, verified JWTs, the key set and the discovery document', async () => {
    await using running = await startReconfigurable(allOptions)
    const { broker, dex } = running
    const tokens = [await broker.getToken(), await broker.getToken({ client: 'invoices' })]
    const jwt = jwtOf(running)
    const { claims } = await broker.verify(jwt)
    await caughtUp(dex)
    const { counts } = dex
    for (let time = 0; time < 3; time++) broker.reconfigure({ ...running.options, ...allOptions(dex) })
    expect([await broker.getToken(), await broker.getToken({ client: 'invoices' })]).toEqual(tokens)
    expect(await broker.getToken()).toBe(tokens[0])
    // The same object: the JWT is remembered as verified.
    expect((await broker.verify(jwt)).claims).toBe(claims)
    expect(broker.missing()).toEqual([])
    await caughtUp(dex)
    expect(dex.counts).toEqual(counts)
    expect(counts).toMatchObject({ discoveryRequests: 1, keysRequests: 1, tokenRequests: 2 })
  })

  test('logs that nothing has changed', async () => {
    await using running = await startReconfigurable(allOptions)
    running.reconfigure()
    expect(running.log.lines.at(-1)).toEqual({
      level: 'info',
      message: 'reconfigured',
      fields: { renewed: [], added: [], removed: [] },
    })
  })

  test('leaves the statistics as they are', async () => {
    await using running = await startReconfigurable(allOptions)
    await running.broker.getToken()
    await running.broker.getToken()
    const before = running.broker.cacheStatistics
    running.reconfigure()
    expect(running.broker.cacheStatistics).toEqual(before)
    expect(before).toMatchObject({ entries: 1, hits: 1, misses: 1 })
  })

  test('leaves an open circuit open, and closes it by the probe that was due before', async () => {
    await using running = await startReconfigurable(() => ({ clients: { orders, billing } }))
    const { broker, dex, clock } = running
    dex.setFault('token', { kind: 'answer', status: 503, body: '' })
    while ((await failureOf(broker.getToken({ client: 'orders' }))).code !== 'overloaded');
    const { tokenRequests } = dex.counts
    dex.clearFaults()
    running.reconfigure()
    expect((await failureOf(broker.getToken({ client: 'orders' }))).code).toBe('overloaded')
    expect(dex.counts.tokenRequests).toBe(tokenRequests)
    clock.advance(1_000)
    await broker.getToken({ client: 'orders' })
    expect(dex.counts.tokenRequests).toBe(tokenRequests + 1)
  })

  test('still remembers that Dex rejected credentials', async () => {
    await using running = await startReconfigurable(() => ({}))
    const { broker, dex } = running
    const wrong = { clientId: 'orders', clientSecret: 'wrong' }
    await failureOf(broker.getToken(wrong))
    running.reconfigure()
    expect((await failureOf(broker.getToken(wrong))).code).toBe('token_request_rejected')
    expect(dex.counts.tokenRequests).toBe(1)
  })

  test('still remembers keys that do not exist', async () => {
    await using running = await startReconfigurable(allOptions)
    const { broker, dex, clock } = running
    const junk = () =>
      failureOf(
        broker.verify(
          dex.signJwt({ iss: dex.issuer, aud: 'svc', exp: clock.wall() / 1000 + 60 }, { kid: 'x' }),
        ),
      )
    await junk()
    await junk()
    const { keysRequests } = dex.counts
    running.reconfigure()
    await junk()
    expect(dex.counts.keysRequests).toBe(keysRequests)
  })

  test('lets later calls join the requests under way: discovery, key set and token', async () => {
    const held = new HeldTransport()
    await using running = await startReconfigurable(dex => ({
      ...allOptions(dex),
      transport: held.transport,
    }))
    const { broker, dex } = running
    held.hold()
    const jwt = jwtOf(running)
    const early = [broker.getToken(), broker.verify(jwt)] as const
    await until(() => held.waiting === 1)
    running.reconfigure()
    const late = [broker.getToken(), broker.verify(jwt)] as const
    held.release()
    const [token] = await Promise.all([...early, ...late])
    expect(await late[0]).toBe(token)
    await caughtUp(dex)
    expect(dex.counts).toMatchObject({ discoveryRequests: 1, keysRequests: 1, tokenRequests: 1 })
  })

  test('lets later calls join a token request that has left', async () => {
    await using running = await startReconfigurable(() => ({ client: orders }))
    const { broker, dex } = running
    dex.setFault('token', { kind: 'slow', delayMs: 100 })
    const early = broker.getToken()
    await until(() => dex.counts.tokenRequests === 1)
    running.reconfigure()
    expect(await broker.getToken()).toBe(await early)
    expect(dex.counts.tokenRequests).toBe(1)
  })

  test('starts no second watch over signing keys', async () => {
    await using running = await startReconfigurable(allOptions)
    const { broker, dex, log, clock } = running
    await broker.getToken()
    await until(() => dex.counts.keysRequests === 1)
    for (let time = 0; time < 5; time++) running.reconfigure()
    await dex.restart()
    clock.advance(11_000)
    const answers = await Promise.all([broker.getToken({ client: 'invoices' })])
    await until(() => log.lines.some(({ message }) => message.startsWith('tokens dropped')))
    expect(answers).toHaveLength(1)
    await caughtUp(dex)
    expect(dex.counts.keysRequests).toBe(2)
    expect(log.lines.filter(({ message }) => message.startsWith('tokens dropped'))).toHaveLength(1)
  })
})
