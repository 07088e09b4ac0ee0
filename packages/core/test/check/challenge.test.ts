import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bearerChallenge } from '../../src/check/challenge.ts'
import { refusalOf } from '../../src/check/verdict.ts'
import { BrokerError } from '../../src/shared/errors.ts'
import { TokenBroker } from '../../src/token-broker.ts'

const forbidden = new BrokerError('forbidden', 'no')
const challengeOf = (error: unknown, realm?: string) =>
  refusalOf(error, { realm }).headers['www-authenticate']

describe('the realm of a challenge', () => {
  test('is dex-token-broker unless an option says otherwise', () => {
    expect(challengeOf(forbidden)).toBe('Bearer realm="dex-token-broker", error="insufficient_scope"')
    expect(challengeOf(forbidden, 'orders')).toBe('Bearer realm="orders", error="insufficient_scope"')
  })

  test('stands in every challenge of a broker that has one', async () => {
    await using broker = new TokenBroker({
      tokenEndpoint: 'https://dex.example.com/token',
      realm: 'the "orders" API',
      gate: { jwksUri: 'https://issuer.example.com/keys' },
    })
    expect(await broker.check({ headers: [] })).toMatchObject({
      headers: { 'www-authenticate': String.raw`Bearer realm="the \"orders\" API"` },
    })
    expect(await broker.check({ headers: ['authorization', 'junk'] })).toMatchObject({
      headers: {
        'www-authenticate': String.raw`Bearer realm="the \"orders\" API", error="invalid_token", error_description="The JWT is not acceptable"`,
      },
    })
    await using open = new TokenBroker({ tokenEndpoint: 'https://dex.example.com/token', realm: 'x' })
    expect(await open.check({ headers: [] })).toMatchObject({
      headers: { 'www-authenticate': 'Bearer realm="x"' },
    })
  })

  test('is one quoted string, whatever printable text it is', () => {
    const printable = fc.string({ minLength: 1, maxLength: 128 }).filter(text => /^[\x20-\x7e]+$/.test(text))
    fc.assert(
      fc.property(printable, realm => {
        const quoted = /^Bearer realm="((?:[^"\\]|\\.)*)"$/.exec(bearerChallenge(realm))?.[1]
        expect(quoted?.replaceAll(/\\(.)/g, '$1')).toBe(realm)
      }),
    )
  })

  test.each<[unknown]>([
    [''],
    ['x'.repeat(129)],
    ['a\r\nset-cookie: b'],
    ['a\tb'],
    ['é'],
    ['\u007f'],
    [7],
    [['x']],
  ])('%j is wrong use', realm => {
    const tokenEndpoint = 'https://dex.example.com/token'
    expect(() => new TokenBroker({ tokenEndpoint, realm: realm as string })).toThrow(TypeError)
    expect(() => new TokenBroker({ tokenEndpoint, realm: realm as string })).toThrow(/^realm must be/)
    expect(() => challengeOf(forbidden, realm as string)).toThrow(/^realm must be/)
  })
})
