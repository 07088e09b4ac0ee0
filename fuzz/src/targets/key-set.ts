import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { importJWK, type JWK } from 'jose'
import { KeySet } from '../../../packages/core/src/gate/keys/key-set.ts'
import { optionRules } from '../../../packages/core/src/options/broker-options.ts'
import { BrokerError } from '../../../packages/core/src/shared/errors.ts'
import { assertExpected } from '../expected-error.ts'
import type { Target } from '../target.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey.export({ format: 'jwk' })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
const edwards = generateKeyPairSync('ed25519')
const es512 = generateKeyPairSync('ec', { namedCurve: 'P-521' })
const algorithms = optionRules['gate.algorithms'].values
const signature = Buffer.alloc(64, 1)

/** JWK sets. Keys that are called usable are public, strong enough, and importable by jose; nothing but a refusal is thrown. */
export const keySetTarget: Target = {
  name: 'key-set',
  isJson: true,
  seeds: [
    [
      { ...rsa, kid: 'a', alg: 'RS256', use: 'sig' },
      { ...ec, kid: 'b', alg: 'ES256' },
    ],
    [
      { ...ec, key_ops: ['verify'] },
      { kty: 'oct', k: 'AAAA' },
    ],
    [
      { ...edwards.publicKey.export({ format: 'jwk' }), kid: 'e', alg: 'EdDSA' },
      { ...edwards.publicKey.export({ format: 'jwk' }), kid: 'f', alg: 'Ed25519', use: 'sig' },
      { ...edwards.privateKey.export({ format: 'jwk' }), kid: 'g' },
      { ...rsa, kid: 'h', alg: 'PS256' },
    ],
    [{ ...es512.publicKey.export({ format: 'jwk' }), kid: 'c', x5c: ['x'] }],
    [
      { ...es512.privateKey.export({ format: 'jwk' }), kid: 'd' },
      { ...rsa, use: 'enc' },
      { ...ec, kid: 'd' },
    ],
  ].map(keys => JSON.stringify({ keys })),
  dictionary: [
    '"kty":"RSA"',
    '"kty":"EC"',
    '"kty":"OKP"',
    'Ed25519',
    'Ed448',
    'EdDSA',
    'PS512',
    'P-256',
    'P-384',
    '"alg":"none"',
    'AQAB',
    'AQ',
    '"use":"enc"',
    '"d":',
    '"key_ops":',
  ],
  sources: [
    'packages/core/src/gate/keys/key-set.ts',
    'packages/core/src/gate/keys/key-problem.ts',
    'packages/core/src/gate/keys/verification-key.ts',
  ],
  async judge(input) {
    const text = input.toString()
    const set = KeySet.parse(text, algorithms)
    if (set === undefined) return
    const { keys } = JSON.parse(text) as { readonly keys: readonly (JWK | null)[] }
    assert.ok(set.size + set.unusable.length <= keys.length)
    for (const { kid, algorithm } of set.usable) {
      assert.match(algorithm, /^(?:RSA|EC|OKP|[REP]S(?:256|384|512)|EdDSA|Ed25519)$/)
      assert.ok(kid === undefined || typeof kid === 'string')
      const same = keys.filter(key => isObject(key) && idOf(key) === kid && key.d === undefined)
      assert.ok(same.length > 0, 'calls a private key usable')
      const isType = algorithm === 'RSA' || algorithm === 'EC' || algorithm === 'OKP'
      for (const alg of isType ? ['RS256', 'PS256', 'ES256', 'EdDSA'] : [algorithm])
        await verifyWith(set, alg, kid)
    }
    for (const key of keys) await assertStrong(set, key)
  },
}

function isObject(key: JWK | null): key is JWK {
  return typeof key === 'object' && key !== null
}

function idOf({ kid }: JWK): string | undefined {
  return typeof kid === 'string' ? kid : undefined
}

async function verifyWith(set: KeySet, alg: string, kid: string | undefined): Promise<void> {
  const header = { alg, kid }
  set.mayVerify(header)
  try {
    await set.verify({ header, claims: {}, signingInput: 'a.b', signature })
    assert.fail('accepts a made-up signature')
  } catch (error) {
    assertExpected(BrokerError.is(error) && error.code === 'invalid_token', error)
  }
}

/** An RSA key that is too short is unusable. */
async function assertStrong(set: KeySet, key: JWK | null): Promise<void> {
  if (!isObject(key) || key.kty !== 'RSA' || typeof key.kid !== 'string') return
  const known = set.usable.filter(({ kid }) => kid === key.kid)
  if (known.length !== 1 || set.unusable.some(({ kid }) => kid === key.kid)) return
  const { asymmetricKeyDetails } = createPublicKey({ key: key as never, format: 'jwk' })
  assert.ok((asymmetricKeyDetails?.modulusLength ?? 0) >= 2_048)
  await importJWK(key, 'RS256')
}
