import { describe, expect, test } from 'vitest'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { billing, caughtUp, orders } from '../broker-with-dex.ts'
import { startReconfigurable } from './reconfigurable-broker.ts'

const wrong: readonly [string, object][] = [
  ['no options', []],
  ['an unknown name', { clientz: {} }],
  ['a wrong number', { cacheMaxEntries: -1 }],
  ['a wrong header', { authorizationHeader: 'a b' }],
  ['a wrong client', { clients: { reports: { clientId: 'reports' } } }],
  ['a client of an unknown Dex', { clients: { reports: { ...billing, dex: 'nowhere' } } }],
  ['a wrong issuer', { issuers: [{ name: 'dex' }] }],
  ['an empty list of issuers', { issuers: [] }],
  ['a gate without keys', { jwksUri: undefined, gate: {} }],
  ['a wrong function', { chooseClient: 'reports' }],
  ['a wrong transport', { transport: {} }],
  ['a wrong logger, although it would be ignored', { logger: {} }],
]

describe('wrong options', () => {
  test.each(wrong)('(%s) throw like the constructor and change nothing', async (_, changes) => {
    await using running = await startReconfigurable(dex => ({
      client: orders,
      clients: { invoices: billing },
      jwksUri: dex.jwksUri,
      gate: { audience: 'svc' },
      tokenHeaders: { access_token: 'x-access-token' },
    }))
    const { broker, dex, clock, log } = running
    const jwt = dex.signJwt({ aud: 'svc', exp: clock.wall() / 1000 + 600 })
    const headers = ['authorization', `Bearer ${jwt}`]
    const verdict = await broker.check({ headers })
    const invoice = await broker.getToken({ client: 'invoices' })
    await caughtUp(dex)
    const before = { counts: dex.counts, lines: log.lines.length, statistics: broker.cacheStatistics }
    const options = (
      Array.isArray(changes) ? changes : { ...running.options, ...changes }
    ) as TokenBrokerOptions
    const problem = messageOf(() => new TokenBroker(options))
    expect(problem).not.toBe('')
    expect(messageOf(() => broker.reconfigure(options))).toBe(problem)
    expect(broker.cacheStatistics).toEqual(before.statistics)
    // The same object: token, JWT and rules are as they were.
    expect(broker.decide({ headers })).toBe(verdict)
    expect(broker.peekToken({ client: 'invoices' })).toBe(invoice)
    expect([broker.tokenHeaders, log.lines.length]).toEqual([
      ['authorization', 'x-access-token'],
      before.lines,
    ])
    await caughtUp(dex)
    expect(dex.counts).toEqual(before.counts)
  })

  test('after a good reconfiguration leave that one', async () => {
    await using running = await startReconfigurable(() => ({ client: orders }))
    running.reconfigure({ client: billing })
    expect(() => running.reconfigure({ realm: '' })).toThrow(TypeError)
    await running.broker.getToken()
    expect(running.dex.tokenRequests.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${Buffer.from('billing:billing-secret').toString('base64')}`,
    ])
  })
})

test('a closed broker cannot be reconfigured', async () => {
  await using running = await startReconfigurable(() => ({ client: orders }))
  await running.broker.close()
  expect(() => running.reconfigure()).toThrow(new TypeError('reconfigure needs a broker that is not closed'))
})

/** The message of the `TypeError` that a function throws; empty when it throws none. */
function messageOf(run: () => unknown): string {
  try {
    run()
    return ''
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
}
