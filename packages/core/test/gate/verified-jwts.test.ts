import { sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { GateOptions } from '../../src/options/broker-options.ts'
import { type BrokerWithDex, failureOf, orders, startBrokerWithDex } from '../broker-with-dex.ts'
import { type Algorithm, CallersKey, compactJws, startGate as startCallersGate } from './callers-issuer.ts'

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
    const { claims } = await running.broker.verify(jwt)
    expect((await running.broker.verify(jwt)).claims).toBe(claims)
    expect(Object.isFrozen(claims) && Object.isFrozen(claims['roles'])).toBe(true)
  })

  test('lets a check pass without waiting, and only once its token is there', async () => {
    await using running = await startGate()
    const request = { headers: ['authorization', `Bearer ${callersJwt(running)}`] }
    const waiting = running.broker.decide(request)
    expect(waiting).toBeInstanceOf(Promise)
    const verdict = await waiting
    expect(running.broker.decide(request)).toBe(verdict)
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
    expect(running.broker.decide({ headers: ['authorization', jwt] })).toMatchObject({ status: 401 })
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
      expect((await running.broker.decide({ headers: ['authorization', changed] })).outcome).not.toBe('allow')
      expect((await failureOf(running.broker.verify(changed))).code).toBe('invalid_token')
    }
  })

  test('is verified again each time with verifiedJwtsMaxEntries 0', async () => {
    // A signature by ES384 takes long enough to be waited for, so a JWT that needs no waiting was not verified again.
    const key = new CallersKey('ES384')
    for (const [verifiedJwtsMaxEntries, code] of [
      [1, 'missing_credentials'],
      [0, undefined],
    ] as const) {
      await using running = await startCallersGate([key.jwk()], { verifiedJwtsMaxEntries })
      const jwt = key.jwt(running.claims())
      await running.broker.verify(jwt)
      const verdict = running.broker.decide({ headers: ['authorization', jwt] })
      if (code === undefined) expect(verdict).toBeInstanceOf(Promise)
      else expect(verdict).toMatchObject({ code })
      await verdict
    }
  })
})

test('a JWT that was verified is verified again after a minute', async () => {
  const key = new CallersKey('ES384')
  await using running = await startCallersGate([key.jwk()])
  const jwt = key.jwt(running.claims())
  await running.broker.verify(jwt)
  running.clock.advance(59_999)
  expect(running.broker.decide({ headers: ['authorization', jwt] })).not.toBeInstanceOf(Promise)
  running.clock.advance(1)
  const waiting = running.broker.decide({ headers: ['authorization', jwt] })
  expect(waiting).toBeInstanceOf(Promise)
  await waiting
})

describe('a JWT that is new', () => {
  test.each<Algorithm>(['RS256', 'RS384', 'RS512', 'ES256'])(
    'and signed by %s with a key that was used before is verified without waiting',
    async algorithm => {
      const key = new CallersKey(algorithm)
      await using running = await startCallersGate([key.jwk()])
      const first = { headers: ['authorization', key.jwt(running.claims({ jti: '1' }))] }
      const waiting = running.broker.decide(first)
      expect(waiting).toBeInstanceOf(Promise)
      await waiting
      const second = key.jwt(running.claims({ jti: '2' }))
      expect(running.broker.decide({ headers: ['authorization', second] })).toMatchObject({
        code: 'missing_credentials',
      })
      const forged = second.slice(0, -6) + (second.at(-6) === 'A' ? 'B' : 'A') + second.slice(-5)
      expect(running.broker.decide({ headers: ['authorization', forged] })).toMatchObject({
        code: 'invalid_token',
      })
    },
  )

  test('and names a key under another algorithm than before is judged by that one', async () => {
    const key = new CallersKey('RS256', { kid: 'k' })
    const asRs512 = (claims: object) =>
      compactJws({ alg: 'RS512', kid: 'k' }, claims, input => sign('sha512', input, key.privateKey))
    for (const [member, outcome] of [
      [key.jwk({ alg: undefined }), 'accepted'],
      [key.jwk(), 'refused'],
    ] as const) {
      await using running = await startCallersGate([member])
      await running.broker.verify(key.jwt(running.claims({ jti: '1' })))
      for (const jti of ['2', '3']) {
        const request = { headers: ['authorization', asRs512(running.claims({ jti }))] }
        const verdict = await running.broker.decide(request)
        expect(verdict).toMatchObject({
          code: outcome === 'accepted' ? 'missing_credentials' : 'invalid_token',
        })
      }
    }
  })

  test('and names a key that two members of the key set share is tried with both of them', async () => {
    const one = new CallersKey('RS256', { kid: 'shared' })
    const other = new CallersKey('RS256', { kid: 'shared' })
    await using running = await startCallersGate([one.jwk(), other.jwk()])
    for (const key of [one, other, one, other]) {
      const jti = String(Math.random())
      await expect(running.broker.verify(key.jwt(running.claims({ jti })))).resolves.toMatchObject({
        claims: { jti },
      })
    }
  })

  test('is not verified with a key of the same name that was withdrawn', async () => {
    const before = new CallersKey('RS256', { kid: 'k' })
    const after = new CallersKey('RS256', { kid: 'k' })
    await using running = await startCallersGate([before.jwk()], { jwksMaxAgeMs: 1_000 })
    await running.broker.verify(before.jwt(running.claims({ jti: '1' })))
    running.publish(after.jwk())
    running.clock.advance(1_000)
    await running.broker.verify(after.jwt(running.claims()))
    const late = running.broker.verify(before.jwt(running.claims({ jti: '2' })))
    expect((await failureOf(late)).code).toBe('invalid_token')
  })
})
