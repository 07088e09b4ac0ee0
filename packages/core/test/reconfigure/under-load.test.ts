import { startDevDex } from '@broker/dev-dex'
import { expect, test } from 'vitest'
import type { ChooseClient } from '../../src/check/choose-client.ts'
import type { TokenBrokerOptions } from '../../src/options/broker-options.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { claimsOf } from './reconfigurable-broker.ts'

const names = ['a', 'b', 'c', 'd'] as const
const clientOf = (id: string) => ({ clientId: id, clientSecret: `secret of ${id}` })
/** Checks under way at any time. */
const concurrency = 400
const reconfigurations = 50
const checksBetween = 60

const chooseByCaller: ChooseClient = caller => ({ client: caller?.subject ?? '' })

test('a broker that is reconfigured 50 times under load loses no check and gives nobody a wrong token', async () => {
  await using dex = await startDevDex({
    algorithm: 'ES256',
    clients: names.map(id => ({ id, secret: `secret of ${id}` })),
  })
  const exp = Date.now() / 1000 + 600
  const jwts = new Map(names.map(sub => [sub, dex.signJwt({ iss: dex.issuer, sub, aud: 'svc', exp })]))
  /** The client id behind a name, in a generation of options: that of `d` changes. */
  const idOf = (name: string, generation: number) => (name === 'd' && generation % 3 === 1 ? 'a' : name)
  const optionsOf = (generation: number): TokenBrokerOptions => ({
    issuer: dex.issuer,
    clients: {
      ...Object.fromEntries(names.map(name => [name, clientOf(idOf(name, generation))])),
      ...(generation % 4 === 2 && { another: clientOf('a') }),
      ...(generation % 5 === 3 && { b: { ...clientOf('b'), scope: 'groups' } }),
    },
    chooseClient: generation % 2 === 0 ? chooseByCaller : caller => ({ client: caller?.subject ?? '' }),
    issuers: [
      {
        name: generation % 7 === 6 ? 'renamed' : 'dex',
        issuer: dex.issuer,
        audiences: ['svc', `${generation}`],
      },
    ],
    authorizationHeader: generation % 6 === 5 ? 'x-authorization' : 'authorization',
    tokenHeaders: generation % 4 === 3 ? { access_token: 'x-access-token' } : {},
    cacheMaxEntries: generation % 3 === 2 ? 2 : 1_024,
    maxConnections: generation % 8 === 7 ? 4 : 32,
    requestTimeoutMs: 10_000 + generation,
  })
  let generation = 0
  let started = 0
  let underWayAtSwap = 0
  const outcomes: string[] = []
  await using broker = new TokenBroker(optionsOf(0))

  async function check(name: string): Promise<void> {
    const from = generation
    const verdict = await broker.decide({ headers: ['authorization', `Bearer ${jwts.get(name as 'a')}`] })
    if (from !== generation) underWayAtSwap++
    if (verdict.outcome !== 'allow') {
      outcomes.push(`${verdict.outcome} ${verdict.code}`)
      return
    }
    const bearer = verdict.set['authorization'] ?? verdict.set['x-authorization'] ?? ''
    const { aud } = claimsOf({ accessToken: bearer.slice('Bearer '.length) })
    const possible = new Set<string>()
    for (let each = from; each <= generation; each++) possible.add(idOf(name, each))
    outcomes.push(possible.has(aud as string) ? 'right token' : `token of ${aud} for ${name}`)
  }

  async function worker(): Promise<void> {
    while (generation < reconfigurations) {
      started++
      await check(names[started % names.length] as string)
      if (started >= (generation + 1) * checksBetween && generation < reconfigurations) {
        generation++
        broker.reconfigure(optionsOf(generation))
      }
      // A cached check waits for nothing: let the others go on.
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  expect(generation).toBe(reconfigurations)
  expect(outcomes).toHaveLength(started)
  expect(new Set(outcomes)).toEqual(new Set(['right token']))
  expect(started).toBeGreaterThanOrEqual(reconfigurations * checksBetween)
  expect(underWayAtSwap).toBeGreaterThan(reconfigurations * 10)
  // What all generations have in common was loaded once.
  expect(dex.counts.discoveryRequests).toBeLessThanOrEqual(3 + Math.floor(reconfigurations / 7) * 2)
}, 60_000)
