import { describe, expect, test } from 'vitest'
import { failureOf } from '../broker-with-dex.ts'
import { CallersKey, startGate } from './callers-issuer.ts'

const first = new CallersKey('ES256', { kid: 'first' })
const second = new CallersKey('ES256', { kid: 'second' })
const rsa = new CallersKey('RS256')

/** Whether a key set verifies a JWT of a key. */
async function accepts(keys: readonly unknown[], key: CallersKey, header: object = {}): Promise<boolean> {
  await using running = await startGate(keys)
  const verified = running.broker.verify(key.jwt(running.claims(), { ...header }))
  if (
    await verified.then(
      () => true,
      () => false,
    )
  )
    return true
  expect((await failureOf(verified)).code).toBe('invalid_token')
  return false
}

describe('a JWT without kid', () => {
  const header = { kid: undefined }

  test('passes when exactly one key fits', async () => {
    expect(await accepts([first.jwk()], first, header)).toBe(true)
    expect(await accepts([first.jwk(), rsa.jwk()], first, header)).toBe(true)
    expect(await accepts([first.jwk(), second.jwk({ use: 'enc' })], first, header)).toBe(true)
    expect(await accepts([first.jwk({ kid: undefined })], first, header)).toBe(true)
  })

  test('is refused when two keys fit, even when one of them verifies it', async () => {
    expect(await accepts([first.jwk(), second.jwk()], first, header)).toBe(false)
    expect(
      await accepts([second.jwk({ kid: undefined }), first.jwk({ kid: undefined })], first, header),
    ).toBe(false)
  })
})

describe('a JWT with kid', () => {
  test('is verified by that key alone', async () => {
    expect(await accepts([first.jwk(), second.jwk()], second)).toBe(true)
    expect(await accepts([first.jwk(), second.jwk()], second, { kid: 'first' })).toBe(false)
    expect(await accepts([first.jwk(), second.jwk()], second, { kid: 'FIRST' })).toBe(false)
  })

  test('finds its key among keys without kid', async () => {
    const nameless = [second.jwk({ kid: undefined }), rsa.jwk({ kid: undefined })]
    expect(await accepts([...nameless, first.jwk()], first)).toBe(true)
  })

  test('passes when any of the keys that share its kid verifies it, whichever comes last', async () => {
    const twins = [first.jwk({ kid: 'twin' }), second.jwk({ kid: 'twin' })]
    expect(await accepts(twins, first, { kid: 'twin' })).toBe(true)
    expect(await accepts(twins, second, { kid: 'twin' })).toBe(true)
    expect(await accepts(twins, new CallersKey('ES256'), { kid: 'twin' })).toBe(false)
  })

  test('is tried against a few of the keys that share its kid, not against hundreds', async () => {
    const crowd = Array.from({ length: 200 }, () => second.jwk({ kid: 'twin' }))
    expect(await accepts([...crowd, first.jwk({ kid: 'twin' })], first, { kid: 'twin' })).toBe(false)
    expect(await accepts([...crowd.slice(0, 7), first.jwk({ kid: 'twin' })], first, { kid: 'twin' })).toBe(
      true,
    )
  })

  test('with an empty or odd kid is a JWT like any other', async () => {
    for (const kid of ['', '__proto__', 'constructor', 'é', 'x'.repeat(5_000)]) {
      expect(await accepts([first.jwk({ kid }), second.jwk()], first, { kid })).toBe(true)
      expect(await accepts([second.jwk()], first, { kid })).toBe(false)
    }
  })
})

describe('keys that are not trusted', () => {
  test('RSA below 2048 bits', async () => {
    const weak = new CallersKey('RS256', { modulusLength: 1024 })
    expect(await accepts([weak.jwk()], weak)).toBe(false)
  })

  test('P-384 for ES256, with and without saying so', async () => {
    const key = new CallersKey('ES256', { curve: 'P-384' })
    expect(await accepts([key.jwk()], key)).toBe(false)
    expect(await accepts([key.jwk({ alg: undefined })], key)).toBe(false)
  })

  test('a key for encryption, or for anything but verifying', async () => {
    expect(await accepts([rsa.jwk({ use: 'enc' })], rsa)).toBe(false)
    expect(await accepts([rsa.jwk({ key_ops: ['encrypt'] })], rsa)).toBe(false)
    expect(await accepts([rsa.jwk({ use: undefined, key_ops: ['verify'] })], rsa)).toBe(true)
  })

  test('a key for another algorithm', async () => {
    expect(await accepts([rsa.jwk({ alg: 'RS512' })], rsa)).toBe(false)
    expect(await accepts([rsa.jwk({ alg: 'PS256' })], rsa)).toBe(false)
    expect(await accepts([rsa.jwk({ alg: undefined })], rsa)).toBe(true)
  })

  test('a private key that was published by mistake, and a secret one', async () => {
    const leaked = { ...first.privateKey.export({ format: 'jwk' }), kid: 'first', alg: 'ES256' }
    expect(await accepts([leaked], first)).toBe(false)
    expect(await accepts([{ kty: 'oct', k: 'AAAA', kid: 'first' }], first)).toBe(false)
  })

  test('junk beside a good key harms nobody', async () => {
    const junk = [
      null,
      7,
      'key',
      [],
      {},
      { kty: 7 },
      { kty: 'RSA' },
      { kty: 'EC', crv: 'P-256', x: 1, y: [] },
      { kty: 'XX', kid: 'first' },
    ]
    expect(await accepts([...junk, first.jwk()], first)).toBe(true)
    expect(await accepts([first.jwk(), ...junk], first)).toBe(true)
  })

  test('junk under the kid of the JWT refuses it, and never fails otherwise', async () => {
    const { x, y } = first.jwk() as { x: string; y: string }
    for (const key of [
      { kty: 'EC' },
      { kty: 'EC', crv: 'P-256' },
      { kty: 'EC', crv: 'P-256', x: y, y: x },
      { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' },
      { kty: 'EC', crv: 'P-256', x: 1, y: {} },
      { kty: 'EC', crv: 'P-256', x, y, alg: 7 },
      { kty: 'EC', crv: 'P-256', x, y, key_ops: 'verify' },
    ]) {
      expect(await accepts([{ kid: 'first', ...key }], first)).toBe(false)
    }
  })
})
