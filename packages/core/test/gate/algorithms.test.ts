import { constants, generateKeyPairSync } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { algorithmsRule } from '../../src/options/jwt-algorithms.ts'
import { TokenBroker } from '../../src/token-broker.ts'
import { failureOf } from '../broker-with-dex.ts'
import { type Algorithm, CallersKey, compactJws, signedBy, startGate } from './callers-issuer.ts'
import { createBroker, startIdentityProvider } from './identity-provider.ts'

const algorithms = algorithmsRule.values
const onDemand = algorithms.filter(algorithm => !algorithmsRule.default.includes(algorithm))
const rsa = new CallersKey('PS256', { kid: 'rsa' })
const edwards = new CallersKey('EdDSA', { kid: 'edwards' })

const reasonOf = async (verified: Promise<unknown>) => {
  const { code, cause } = await failureOf(verified)
  return [code, (cause as { reason?: string } | undefined)?.reason]
}

test('the algorithms on demand are PS256, PS384, PS512, EdDSA and Ed25519', () => {
  expect(onDemand).toEqual(['PS256', 'PS384', 'PS512', 'EdDSA', 'Ed25519'])
})

describe.each(onDemand)('%s', algorithm => {
  test('verifies JWTs that jose signed', async () => {
    const { publicKey, privateKey } = await generateKeyPair(algorithm)
    const jwk = { ...(await exportJWK(publicKey)), kid: 'of-jose', alg: algorithm, use: 'sig' }
    await using running = await startGate([jwk], { algorithms: [algorithm] })
    const jwt = await new SignJWT(running.claims())
      .setProtectedHeader({ alg: algorithm, kid: 'of-jose' })
      .sign(privateKey)
    expect(await running.broker.verify(jwt)).toMatchObject({ subject: 'alice' })
  })

  test('verifies JWTs of a key without alg, and of the only key that fits without kid', async () => {
    const key = new CallersKey(algorithm)
    await using running = await startGate([key.jwk({ alg: undefined, kid: undefined })], {
      algorithms: [algorithm],
    })
    const jwt = key.jwt(running.claims(), { kid: undefined })
    expect(await running.broker.verify(jwt)).toMatchObject({ subject: 'alice' })
  })

  test('is refused by default, without a request for keys', async () => {
    const key = new CallersKey(algorithm)
    await using running = await startGate([key.jwk()])
    expect(await reasonOf(running.broker.verify(key.jwt(running.claims())))).toEqual([
      'invalid_token',
      'algorithm',
    ])
    expect(running.server.requests).toEqual([])
  })

  test('is refused by an issuer that does not accept it, without a request for keys', async () => {
    await using accepting = await startIdentityProvider({ algorithm })
    await using refusing = await startIdentityProvider({ algorithm })
    await using running = createBroker({
      issuers: [
        { name: 'accepting', issuer: accepting.iss, algorithms: [algorithm] },
        { name: 'refusing', issuer: refusing.iss },
      ],
      allowInsecureUrls: true,
    })
    expect(await running.broker.verify(accepting.jwt())).toMatchObject({ issuer: 'accepting' })
    expect(await reasonOf(running.broker.verify(refusing.jwt()))).toEqual(['invalid_token', 'algorithm'])
    expect(refusing.requests).toEqual([])
  })

  test('does not accept a changed signature', async () => {
    const key = new CallersKey(algorithm)
    const forger = new CallersKey(algorithm, { kid: key.kid })
    await using running = await startGate([key.jwk()], { algorithms: [algorithm] })
    expect(await reasonOf(running.broker.verify(forger.jwt(running.claims())))).toEqual([
      'invalid_token',
      'signature',
    ])
  })
})

describe('a key for one algorithm verifies no other (RFC 8725 section 3.1)', () => {
  const rows: [string, Algorithm, Algorithm][] = [
    ['an RS256 key and a PS256 JWT', 'RS256', 'PS256'],
    ['a PS256 key and an RS256 JWT', 'PS256', 'RS256'],
    ['a PS256 key and a PS512 JWT', 'PS256', 'PS512'],
  ]
  test.each(rows)('%s', async (_, ofKey, ofJwt) => {
    await using running = await startGate([rsa.jwk({ alg: ofKey })], { algorithms })
    const jwt = compactJws({ alg: ofJwt, kid: 'rsa' }, running.claims(), input =>
      signedBy(ofJwt, rsa.privateKey, input),
    )
    expect(await reasonOf(running.broker.verify(jwt))).toEqual(['invalid_token', 'unusable_key'])
  })

  test('a JWT cannot claim PS256 for an RS256 signature, nor the reverse', async () => {
    await using running = await startGate([rsa.jwk({ alg: undefined })], { algorithms })
    for (const [claimed, signed] of [
      ['PS256', 'RS256'],
      ['RS256', 'PS256'],
    ] as const) {
      const jwt = compactJws({ alg: claimed, kid: 'rsa' }, running.claims(), input =>
        signedBy(signed, rsa.privateKey, input),
      )
      expect(await reasonOf(running.broker.verify(jwt))).toEqual(['invalid_token', 'signature'])
    }
  })

  test('an Ed25519 key verifies no ES256 JWT, and an RSA key no EdDSA JWT', async () => {
    await using running = await startGate([edwards.jwk(), rsa.jwk()], { algorithms })
    for (const [alg, kid] of [
      ['ES256', 'edwards'],
      ['EdDSA', 'rsa'],
    ] as const) {
      const jwt = compactJws({ alg, kid }, running.claims(), input =>
        signedBy('EdDSA', edwards.privateKey, input),
      )
      expect(await reasonOf(running.broker.verify(jwt))).toEqual(['invalid_token', 'unusable_key'])
    }
  })
})

test.each([
  ['the longest', constants.RSA_PSS_SALTLEN_MAX_SIGN],
  ['no', 0],
  ['a shorter', 20],
])('a PS256 signature with %s salt is refused', async (_, saltLength) => {
  await using running = await startGate([rsa.jwk()], { algorithms })
  const jwt = compactJws({ alg: 'PS256', kid: 'rsa' }, running.claims(), input =>
    signedBy('PS256', rsa.privateKey, input, { saltLength }),
  )
  expect(await reasonOf(running.broker.verify(jwt))).toEqual(['invalid_token', 'signature'])
})

const ed448 = generateKeyPairSync('ed448').publicKey.export({ format: 'jwk' })
const x25519 = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' })
const ofPoint = (hex: string) => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x: Buffer.from(hex, 'hex').toString('base64url'),
})

test.each([
  ['Ed448', { ...ed448, alg: 'EdDSA' }, 'curve'],
  ['X25519', x25519, 'curve'],
  ['a private key', { ...edwards.privateKey.export({ format: 'jwk' }) }, 'private'],
  ['RS256 on Ed25519', edwards.jwk({ alg: 'RS256' }), 'alg'],
  ['EdDSA on RSA', rsa.jwk({ alg: 'EdDSA' }), 'alg'],
  ['a point that is too short', edwards.jwk({ x: 'AA' }), 'parameters'],
  ['no point', edwards.jwk({ x: undefined }), 'parameters'],
  ['the point zero', ofPoint('00'.repeat(32)), 'parameters'],
  ['the neutral point', ofPoint(`01${'00'.repeat(31)}`), 'parameters'],
  [
    'a point of order 8',
    ofPoint('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'),
    'parameters',
  ],
  [
    'a point of order 8 with a sign',
    ofPoint('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'),
    'parameters',
  ],
])('a key is unusable: %s', async (_, jwk, why) => {
  await using running = await startGate([{ ...jwk, kid: 'odd' }], { algorithms })
  const jwt = edwards.jwt(running.claims(), { kid: 'odd' })
  const failure = await failureOf(running.broker.verify(jwt))
  expect(failure).toMatchObject({ cause: { reason: 'unusable_key', message: expect.stringContaining(why) } })
})

test('an RSA key of 1024 bits verifies no PS256 JWT', async () => {
  const short = new CallersKey('PS256', { modulusLength: 1024 })
  await using running = await startGate([short.jwk()], { algorithms })
  expect(await reasonOf(running.broker.verify(short.jwt(running.claims())))).toEqual([
    'invalid_token',
    'unusable_key',
  ])
})

test('an issuer that has only keys for algorithms on demand is ready when they are accepted, and not ready otherwise', async () => {
  await using accepting = await startGate([edwards.jwk()], { algorithms: ['EdDSA'] })
  await accepting.broker.verify(edwards.jwt(accepting.claims()))
  expect(accepting.broker.missing()).toEqual([])
  await using usual = await startGate([edwards.jwk()])
  await failureOf(usual.broker.verify(new CallersKey('ES256').jwt(usual.claims())))
  expect(usual.broker.missing()).toEqual(['keys'])
})

test('algorithms that reconfigure adds count for the published keys', async () => {
  await using running = await startGate([edwards.jwk()])
  const jwt = edwards.jwt(running.claims())
  expect(await reasonOf(running.broker.verify(jwt))).toEqual(['invalid_token', 'algorithm'])
  const gate = { jwksUri: `${running.server.url}/`, algorithms: ['EdDSA'] }
  running.broker.reconfigure({
    tokenEndpoint: 'https://dex.example.com/token',
    gate,
    allowInsecureUrls: true,
  })
  expect(await running.broker.verify(jwt)).toMatchObject({ subject: 'alice' })
})

test.each([[['HS256']], [['none']], [['RS256', 'ES256K']], [[]], ['RS256'], [['ED25519']]])(
  'gate.algorithms refuses %j',
  wrong => {
    const gate = { jwksUri: 'https://idp.example.com/keys', algorithms: wrong as never }
    expect(() => new TokenBroker({ tokenEndpoint: 'https://dex.example.com/token', gate })).toThrow(
      /^gate\.algorithms/,
    )
  },
)

test('gate.algorithms is refused beside issuers, which have their own', () => {
  const issuers = [{ name: 'staff', issuer: 'https://idp.example.com' }]
  const gate = { algorithms: ['PS256'] }
  expect(() => new TokenBroker({ tokenEndpoint: 'https://dex.example.com/token', issuers, gate })).toThrow(
    'gate.algorithms must be omitted with issuers; each of them has algorithms',
  )
})
