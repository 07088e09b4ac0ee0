import { describe, expect, test } from 'vitest'
import type { GateOptions } from '../../src/broker-options.ts'
import { type BrokerWithDex, failureOf, orders, startBrokerWithDex } from '../broker-with-dex.ts'

function startGate(gate: Partial<GateOptions> = {}): Promise<BrokerWithDex> {
  return startBrokerWithDex(dex => ({ client: orders, gate: { jwksUri: dex.jwksUri, ...gate } }))
}

function callersJwt({ dex, clock }: BrokerWithDex, claims: object = {}): string {
  return dex.signJwt({ sub: 'alice', exp: clock.wall() / 1000 + 30, roles: ['a'], ...claims })
}

describe('a JWT that was verified', () => {
  test('is known at once, and its claims are the same object, frozen all the way down', async () => {
    await using running = await startGate()
    const jwt = callersJwt(running)
    const claims = await running.broker.verify(jwt)
    expect(await running.broker.verify(jwt)).toBe(claims)
    expect(Object.isFrozen(claims) && Object.isFrozen(claims['roles'])).toBe(true)
  })

  test('lets a check pass without waiting, and only once its token is there', async () => {
    await using running = await startGate()
    const request = { headers: ['authorization', `Bearer ${callersJwt(running)}`] }
    expect(running.broker.peekCheck(request)).toBeUndefined()
    const verdict = await running.broker.check(request)
    expect(running.broker.peekCheck(request)).toBe(verdict)
  })

  test('is refused from the moment of its exp, and before its nbf, though its signature is known', async () => {
    await using running = await startGate()
    const jwt = callersJwt(running, { nbf: running.clock.wall() / 1000 })
    await running.broker.verify(jwt)
    running.clock.jumpWall(-1_000)
    expect((await failureOf(running.broker.verify(jwt))).code).toBe('invalid_token')
    running.clock.jumpWall(1_000)
    running.clock.advance(29_999)
    await running.broker.verify(jwt)
    running.clock.advance(1)
    expect((await failureOf(running.broker.verify(jwt))).code).toBe('invalid_token')
    expect(running.broker.peekCheck({ headers: ['authorization', jwt] })).toMatchObject({ status: 401 })
  })

  test('is not trusted any longer when its key is withdrawn', async () => {
    await using running = await startGate({ jwksMaxAgeMs: 10_000 })
    const jwt = callersJwt(running)
    await running.broker.verify(jwt)
    await running.dex.restart()
    running.clock.advance(10_000)
    expect((await failureOf(running.broker.verify(jwt))).code).toBe('invalid_token')
  })

  test('with one character changed is another one', async () => {
    await using running = await startGate()
    const jwt = callersJwt(running)
    await running.broker.verify(jwt)
    for (const index of [3, jwt.indexOf('.') + 3, jwt.lastIndexOf('.') + 3]) {
      const changed = jwt.slice(0, index) + (jwt[index] === 'A' ? 'B' : 'A') + jwt.slice(index + 1)
      expect(running.broker.peekCheck({ headers: ['authorization', changed] })?.outcome).not.toBe('allow')
      expect((await failureOf(running.broker.verify(changed))).code).toBe('invalid_token')
    }
  })

  test('is verified again each time with verifiedJwtsMaxEntries 0', async () => {
    await using running = await startGate({ verifiedJwtsMaxEntries: 0 })
    const request = { headers: ['authorization', callersJwt(running)] }
    expect((await running.broker.check(request)).outcome).toBe('allow')
    expect(running.broker.peekCheck(request)).toBeUndefined()
  })
})
