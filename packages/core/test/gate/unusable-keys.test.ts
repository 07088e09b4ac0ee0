import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { billing, failureOf, orders, startBrokerWithDex, until } from '../broker-with-dex.ts'
import { RecordingLogger } from '../recording-logger.ts'
import { CallersKey, compactJws, startGate } from './callers-issuer.ts'

const minuteMs = 60_000
const good = new CallersKey('ES256', { kid: 'good' })
const rsa = new CallersKey('RS256')
const p384 = new CallersKey('ES384')
const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })

function rsaJwk(publicExponent: number, modulusLength = 2048): Record<string, unknown> {
  return { ...rsaPublic(publicExponent, modulusLength).export({ format: 'jwk' }), kid: `e-${publicExponent}` }
}

function rsaPublic(publicExponent: number, modulusLength: number): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey
}

const { n } = rsa.jwk() as { n: string }
const withExponent = (...bytes: number[]) => ({ ...rsa.jwk(), e: Buffer.from(bytes).toString('base64url') })

/** Members of a key set that no JWT can be verified by, and a word of why. */
const unusable: [string, Record<string, unknown>, string][] = [
  ['a type that nobody knows', { kty: 'nope' }, 'type'],
  ['Ed25519', { ...ed25519, alg: 'EdDSA' }, 'type'],
  ['a secret', { kty: 'oct', k: 'AAAA' }, 'type'],
  ['secp256k1', { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA' }, 'curve'],
  ['a curve that cannot become text', good.jwk({ crv: { toString: 1 } }), 'curve'],
  ['PS256', rsa.jwk({ alg: 'PS256' }), 'alg'],
  ['an alg that is no text', rsa.jwk({ alg: 7 }), 'alg'],
  ['ES256 on P-384', p384.jwk({ alg: 'ES256' }), 'alg'],
  ['RS256 on a curve', p384.jwk({ alg: 'RS256' }), 'alg'],
  ['RSA of 1024 bits', rsaJwk(65_537, 1_024), 'bits'],
  ['null for alg', good.jwk({ alg: null }), 'alg'],
  ['null for use', good.jwk({ use: null }), 'use'],
  ['encryption', rsa.jwk({ use: 'enc' }), 'encryption'],
  ['a use that nobody knows', rsa.jwk({ use: 'SIG' }), 'use'],
  ['key_ops without verify', rsa.jwk({ key_ops: ['sign'] }), 'key_ops'],
  ['key_ops that are no list', rsa.jwk({ key_ops: 'verify' }), 'key_ops'],
  ['a private key', { ...rsa.privateKey.export({ format: 'jwk' }) }, 'private'],
  ['a coordinate that is too short', good.jwk({ x: 'AA' }), 'parameters'],
  ['a coordinate of another curve', good.jwk({ y: p384.jwk()['y'] }), 'parameters'],
  ['coordinates that are no texts', good.jwk({ x: 1, y: {} }), 'parameters'],
  ['no numbers', { kty: 'RSA' }, 'parameters'],
  ['an exponent of 1', withExponent(1), 'exponent'],
  ['an exponent of 2', withExponent(2), 'exponent'],
  ['an even exponent', withExponent(1, 0, 0), 'exponent'],
  ['an exponent that only costs', withExponent(...Array(200).fill(0xff)), 'exponent'],
]

describe('a key that cannot be used', () => {
  test.each(unusable)('is warned of when its set is loaded, with why: %s', async (_, jwk, why) => {
    const log = new RecordingLogger()
    await using running = await startGate([good.jwk(), { ...jwk, kid: 'odd' }], {}, { logger: log })
    await running.broker.verify(good.jwt(running.claims()))
    const warnings = log.lines.filter(({ level }) => level === 'warn')
    // One for encryption beside one for signatures is nobody's mistake.
    if (why === 'encryption') expect(warnings).toEqual([])
    else {
      expect(warnings).toMatchObject([
        { fields: { usable: 1, unusable: 1, keys: [{ kid: 'odd', problem: expect.stringContaining(why) }] } },
      ])
    }
  })

  test.each(unusable)(
    'alone makes a key set that is not ready, and every JWT is refused: %s',
    async (_, jwk, why) => {
      const log = new RecordingLogger()
      await using running = await startGate([{ ...jwk, kid: 'odd' }], {}, { logger: log })
      const failure = await failureOf(running.broker.verify(good.jwt(running.claims(), { kid: 'odd' })))
      expect(failure).toMatchObject({ code: 'invalid_token', cause: { reason: 'unusable_key' } })
      expect(running.broker.missing()).toEqual(['keys'])
      expect(log.lines.filter(({ message }) => message === 'key set has no usable key')).toMatchObject([
        {
          level: 'warn',
          fields: {
            usable: 0,
            keys: [{ kid: 'odd', problem: expect.stringContaining(why) }],
            hint: expect.stringContaining('2048'),
          },
        },
      ])
    },
  )

  test('is warned of once, and not at each refresh; a long list is cut', async () => {
    const log = new RecordingLogger()
    const many = Array.from({ length: 500 }, (_, index) => ({
      kty: 'nope',
      kid: `${index}\n${'x'.repeat(500)}`,
    }))
    await using running = await startGate([good.jwk(), ...many], {}, { logger: log })
    await running.broker.verify(good.jwt(running.claims()))
    running.clock.advance(10 * minuteMs)
    await running.broker.verify(good.jwt(running.claims()))
    expect(running.server.requests).toHaveLength(2)
    const warnings = log.lines.filter(({ level }) => level === 'warn')
    expect(warnings).toMatchObject([{ fields: { usable: 1, unusable: 500 } }])
    expect(JSON.stringify(warnings).length).toBeLessThan(2_000)
    expect(warnings[0]?.fields['keys']).toHaveLength(8)
  })

  test('is asked for again once in ten seconds while there is no other', async () => {
    const log = new RecordingLogger()
    const loaded = () => log.lines.filter(({ message }) => message === 'key set refreshed').length
    await using running = await startGate([rsa.jwk({ use: 'enc' })], {}, { logger: log })
    await failureOf(running.broker.verify(good.jwt(running.claims())))
    running.clock.advance(10_000)
    for (let probe = 0; probe < 5; probe++) running.broker.missing()
    await until(() => loaded() === 2)
    running.publish(good.jwk())
    running.clock.advance(10_000)
    await until(() => running.broker.missing().length === 0)
    expect(running.server.requests).toHaveLength(3)
  })
})

describe('an RSA key', () => {
  test('with the exponent 1 lets nobody forge a JWT', async () => {
    await using running = await startGate([{ kty: 'RSA', n, e: 'AQ', kid: 'one', alg: 'RS256', use: 'sig' }])
    // EMSA-PKCS1-v1_5: to the power of 1, the signature is the padded hash.
    const prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex')
    const forged = compactJws({ alg: 'RS256', kid: 'one' }, running.claims(), input => {
      const hash = createHash('sha256').update(input).digest()
      const padding = Buffer.alloc(256 - 3 - prefix.length - hash.length, 0xff)
      return Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), prefix, hash])
    })
    expect((await failureOf(running.broker.verify(forged))).code).toBe('invalid_token')
  })

  test.each([3, 17, 65_537])('with the exponent %i is used', async publicExponent => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent })
    await using running = await startGate([{ ...publicKey.export({ format: 'jwk' }), kid: 'k' }])
    const jwt = compactJws({ alg: 'RS256', kid: 'k' }, running.claims(), input =>
      sign('sha256', input, privateKey),
    )
    await expect(running.broker.verify(jwt)).resolves.toMatchObject({ subject: 'alice' })
  })
})

describe('a refresh that brings no key that can be used', () => {
  test.each(unusable)('keeps the good key set: %s', async (_, jwk) => {
    const log = new RecordingLogger()
    await using running = await startGate([good.jwk()], {}, { logger: log })
    await running.broker.verify(good.jwt(running.claims()))
    running.publish({ ...jwk, kid: 'odd' })
    running.clock.advance(10 * minuteMs)
    await expect(running.broker.verify(good.jwt(running.claims()))).resolves.toBeDefined()
    expect(running.server.requests).toHaveLength(2)
    expect(running.broker.missing()).toEqual([])
    expect(log.lines.at(-1)).toMatchObject({
      level: 'error',
      message: 'key set refresh failed: the key set has no usable key',
      fields: { keys: 'cached' },
    })
  })

  test('is 503 when the good key set is too old, never 401', async () => {
    await using running = await startGate([good.jwk()])
    await running.broker.verify(good.jwt(running.claims()))
    running.publish({ kty: 'nope', kid: 'good' })
    running.clock.advance(60 * minuteMs)
    expect((await failureOf(running.broker.verify(good.jwt(running.claims())))).status).toBe(503)
    expect(running.broker.missing()).toEqual(['keys'])
  })

  test('drops no token', async () => {
    await using running = await startBrokerWithDex(({ issuer }) => ({
      tokenEndpoint: undefined,
      issuer,
      client: orders,
    }))
    const { broker, dex, clock, log } = running
    const token = await broker.getToken()
    await until(() => dex.counts.keysRequests === 1)
    await dex.restart()
    dex.setFault('keys', { kind: 'answer', body: '{"keys":[{"kty":"nope","kid":"x"}]}' })
    clock.advance(11_000)
    await broker.getToken({ ...billing })
    await until(() => log.lines.some(({ message }) => message.startsWith('key set refresh failed')))
    expect(broker.peekToken()).toBe(token)
    dex.clearFaults()
    clock.advance(11_000)
    await broker.getToken({ ...billing, scope: 'groups' })
    await until(() => broker.peekToken() === undefined)
  })

  test('is told from one that brings another key', async () => {
    const next = new CallersKey('ES256', { kid: 'next' })
    await using running = await startGate([good.jwk()])
    await running.broker.verify(good.jwt(running.claims()))
    running.publish({ kty: 'nope' }, next.jwk())
    await expect(running.broker.verify(next.jwt(running.claims()))).resolves.toBeDefined()
    expect((await failureOf(running.broker.verify(good.jwt(running.claims())))).code).toBe('invalid_token')
  })
})
