import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { AssertionKey, assertionKeyProblem } from '../../../packages/core/src/clients/assertion-key.ts'
import type { Target } from '../target.ts'

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519').privateKey
const pem = ec.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const jwk = ec.privateKey.export({ format: 'jwk' })
/** Parts of the keys that no message may contain. */
const secrets = [pem.split('\n')[1] ?? '', String(jwk.d), String(ed.export({ format: 'jwk' }).d)]

/** The key of a client: PEM or a JWK. A key that is taken is a private key for node:crypto, and no message shows one. */
export const assertionKeyTarget: Target = {
  name: 'assertion-key',
  seeds: [
    pem,
    JSON.stringify({ ...jwk, kid: 'k1', alg: 'ES256' }),
    JSON.stringify(ed.export({ format: 'jwk' })),
    JSON.stringify({ keys: [jwk] }),
    createPublicKey(ec.privateKey).export({ format: 'pem', type: 'spki' }).toString(),
  ],
  dictionary: ['"kty":"oct"', '"d":', '"kid":', '"alg":"RS256"', '-----BEGIN PRIVATE KEY-----', 'ENCRYPTED'],
  sources: ['packages/core/src/clients/assertion-key.ts'],
  judge(input) {
    const text = input.toString()
    const problem = assertionKeyProblem(text, {})
    if (problem === undefined) {
      const { algorithm } = new AssertionKey(text)
      assert.match(algorithm, /^(?:[RP]S256|ES\d{3}|EdDSA|Ed25519|[RP]S\d{3})$/)
      const isJwk = text.trimStart().startsWith('{')
      const input = isJwk ? ({ key: JSON.parse(text), format: 'jwk' } as const) : text
      assert.equal(createPrivateKey(input).type, 'private')
      return
    }
    for (const secret of secrets) assert.ok(!problem.includes(secret), 'shows the key')
  },
}
