import { describe, expect, test } from 'vitest'
import { billing, orders, startBrokerWithDex, until } from './broker-with-dex.ts'

function startWithDexsGate(jwksMaxAgeMs = 600_000) {
  return startBrokerWithDex(dex => ({
    client: orders,
    gate: { jwksUri: dex.jwksUri, issuer: dex.issuer, jwksMaxAgeMs },
  }))
}

describe('a cached token whose key is gone', () => {
  test('is dropped as soon as a caller shows a JWT of the new key: its own check gets a good one', async () => {
    await using running = await startWithDexsGate()
    const jwt = () => running.dex.signJwt({ iss: running.dex.issuer, exp: running.clock.wall() / 1000 + 60 })
    const checked = await running.broker.check({ headers: ['authorization', jwt()] })
    const before = running.broker.peekToken()
    expect(checked).toMatchObject({ outcome: 'allow', set: before?.headers })
    await running.dex.restart()
    const after = await running.broker.check({ headers: ['authorization', jwt()] })
    expect(after.outcome).toBe('allow')
    expect(after).not.toMatchObject({ set: before?.headers })
    expect(running.dex.counts.tokenRequests).toBe(2)
    expect(
      running.log.lines.some(({ message }) => message.includes('the key that signed them is gone')),
    ).toBe(true)
  })

  test('is dropped when another token comes from a new key', async () => {
    await using running = await startWithDexsGate()
    const before = await running.broker.getToken()
    await until(() => running.dex.counts.keysRequests === 1)
    await running.dex.restart()
    running.clock.advance(11_000)
    await running.broker.getToken({ ...billing })
    await until(() => running.broker.peekToken() === undefined)
    expect(await running.broker.getToken()).not.toBe(before)
  })

  test('is dropped by the look at the key set that cached tokens get from time to time', async () => {
    await using running = await startWithDexsGate(50)
    await running.broker.getToken()
    await until(() => running.dex.counts.keysRequests > 0)
    await running.dex.restart()
    await until(() => running.broker.peekToken() === undefined)
  })

  test('is dropped by that look without a gate, at the interval of the option jwksMaxAgeMs', async () => {
    await using running = await startBrokerWithDex(dex => ({
      client: orders,
      jwksUri: dex.jwksUri,
      jwksMaxAgeMs: 50,
    }))
    await running.broker.getToken()
    await until(() => running.dex.counts.keysRequests > 0)
    await running.dex.restart()
    await until(() => running.broker.peekToken() === undefined)
  })

  test('is dropped by that look beside a gate that has other keys', async () => {
    await using other = await startBrokerWithDex()
    await using running = await startBrokerWithDex(dex => ({
      client: orders,
      jwksUri: dex.jwksUri,
      jwksMaxAgeMs: 50,
      gate: { jwksUri: other.dex.jwksUri, issuer: other.dex.issuer },
    }))
    await running.broker.getToken()
    await until(() => running.dex.counts.keysRequests > 0)
    await running.dex.restart()
    await until(() => running.broker.peekToken() === undefined)
  })

  test('is dropped soon after Dex is available again: a look that failed is repeated after its pause', async () => {
    // The interval is four seconds, the pause one.
    await using running = await startWithDexsGate(5_000)
    await running.broker.getToken()
    await until(() => running.dex.counts.keysRequests === 1)
    running.dex.setFault('keys', { kind: 'reset' })
    await until(() => running.log.lines.some(({ message }) => message.includes('key set refresh failed')))
    running.dex.clearFaults()
    await running.dex.restart()
    running.clock.advance(1_000)
    await until(() => running.broker.peekToken() === undefined, 'the dead token is dropped', 3_500)
  })

  test('is dropped by that look also under a new configuration every few milliseconds', async () => {
    await using running = await startWithDexsGate(50)
    const { broker, dex, clock } = running
    const gate = { jwksUri: dex.jwksUri, issuer: dex.issuer, jwksMaxAgeMs: 50 }
    await broker.getToken()
    await until(() => dex.counts.keysRequests > 0)
    await dex.restart()
    // The age of the key set is by this clock. The interval is a second, its least.
    clock.advance(1_000)
    await until(() => {
      broker.reconfigure({ tokenEndpoint: dex.tokenEndpoint, client: orders, gate })
      return broker.peekToken() === undefined
    })
  })

  test('stays when its key has only been replaced as the one that signs', async () => {
    await using running = await startWithDexsGate()
    const before = await running.broker.getToken()
    await until(() => running.dex.counts.keysRequests === 1)
    await running.dex.rotateKeys()
    await running.broker.getToken({ ...billing })
    await until(() => running.dex.counts.keysRequests === 2)
    expect(running.broker.peekToken()).toBe(before)
  })

  test('stays when its key was never seen in the key set: another issuer says nothing about it', async () => {
    await using other = await startBrokerWithDex()
    await using running = await startBrokerWithDex({
      client: orders,
      gate: { jwksUri: other.dex.jwksUri, issuer: other.dex.issuer },
    })
    const before = await running.broker.getToken()
    await other.dex.restart()
    const jwt = other.dex.signJwt({ iss: other.dex.issuer, exp: running.clock.wall() / 1000 + 60 })
    await running.broker.verify(jwt)
    expect(running.broker.peekToken()).toBe(before)
  })
})
