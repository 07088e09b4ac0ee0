import { queryObjects } from 'node:v8'
import type { DevDex } from '@broker/dev-dex'
import { expect, test } from 'vitest'
import { Check } from '../../src/check/check.ts'
import { ConfiguredSecret } from '../../src/clients/configured-secret.ts'
import { TokenOrder } from '../../src/clients/token-order.ts'
import { KeySource } from '../../src/gate/keys/key-source.ts'
import { DeadTokens } from '../../src/issuer/dead-tokens.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { Topic } from '../../src/shared/topic.ts'
import { DexOrigin } from '../../src/tokens/dex/dex-origin.ts'
import { billing, failureOf, orders } from '../broker-with-dex.ts'
import { startReconfigurable } from './reconfigurable-broker.ts'

/** The parts of a broker, what they subscribe to, and their timers, also those that keep no process alive. */
const counted = [
  Check,
  ConfiguredSecret,
  DeadTokens,
  DexOrigin,
  KeySource,
  TokenOrder,
  Topic,
  // real time: the class of timers is not exported.
  setTimeout(() => {}, 0).constructor as new () => NodeJS.Timeout,
] as (new (
  ...parameters: never[]
) => object)[]

/** Different options for each number, so that every part is made anew sooner or later. */
function optionsNumber(number: number, dex: DevDex): Partial<TokenBrokerOptions> {
  const isEven = number % 2 === 0
  const name = `dex-${number}`
  return {
    client: { clientId: 'orders', clientSecret: () => 'orders-secret' },
    clients: { [`invoices-${number}`]: { ...(isEven ? billing : orders), dex: name } },
    // A class of URLs for each number, all of one server.
    issuers: [
      {
        name,
        issuer: `${dex.issuer}/${number}`,
        tokenEndpoint: dex.tokenEndpoint,
        jwksUri: `${dex.jwksUri}?${number}`,
        audiences: ['svc'],
      },
      {
        name: 'learned',
        discoveryUrl: `${dex.issuer}/.well-known/openid-configuration?${number}`,
        audiences: ['svc'],
      },
    ],
    transport: (url, request) => fetch(url, request as RequestInit) as never,
    requestTimeoutMs: isEven ? 5_000 : 4_000,
    gate: { jwksMaxAgeMs: 600_000 + number },
    tokenHeaders: number % 10 === 0 ? { access_token: ['x-access-token'] } : {},
    maxConnections: 1 + (number % 8),
    negativeCacheTtlMs: 5_000 + number,
    cacheMaxEntries: 500 + (number % 3),
    cacheCleanupIntervalMs: 60_000 + number,
  }
}

test('two thousand reconfigurations leave no timer, no listener and no memory behind', async () => {
  await using running = await startReconfigurable(dex => optionsNumber(0, dex))
  const { broker, dex, clock } = running
  /** A few calls between reconfigurations, five seconds apart. */
  const use = async (number: number) => {
    broker.reconfigure({ ...running.options, ...optionsNumber(number, dex) })
    running.log.lines.length = 0
    clock.advance(5_000)
    if (number % 20 !== 0) return
    await broker.getToken()
    await broker.getToken({ client: `invoices-${number}` })
    await failureOf(broker.getToken({ clientId: 'orders', clientSecret: 'wrong' }))
    const jwt = dex.signJwt({
      iss: `${dex.issuer}/${number}`,
      aud: 'svc',
      sub: 'a',
      exp: clock.wall() / 1000 + 60,
    })
    await broker.verify(jwt)
  }
  const measured = async () => {
    dex.resetRecords()
    await new Promise(resolve => setImmediate(resolve))
    return Object.fromEntries(counted.map(each => [each.name, queryObjects(each, { format: 'count' })]))
  }
  for (let number = 0; number < 200; number++) await use(number)
  const before = await measured()
  for (let number = 200; number < 2_200; number++) await use(number)
  const after = await measured()
  const timers = Number(after['Timeout']) - Number(before['Timeout'])
  expect({ ...after, Timeout: 0 }).toEqual({ ...before, Timeout: 0 })
  // The client and the server of HTTP have timers too.
  expect(timers).toBeLessThan(10)
}, 60_000)
