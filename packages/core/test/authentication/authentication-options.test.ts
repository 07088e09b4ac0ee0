import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { TokenBroker } from '../../src/token-broker.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const shortRsa = generateKeyPairSync('rsa', { modulusLength: 1_024 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const oddCurve = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
const publicPem = ec.publicKey.export({ format: 'pem', type: 'spki' })
const publicJwk = JSON.stringify(ec.publicKey.export({ format: 'jwk' }))
const locked = ec.privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' })
const jwt = (parts: object) => ({ authentication: { method: 'private_key_jwt', ...parts } })
const key = ec.privateKey

test.each<[string, object, string]>([
  ['no object', { authentication: 'private_key_jwt' }, 'client.authentication must be an object'],
  ['another method', { authentication: { method: 'none' } }, 'client.authentication.method must be one of'],
  ['a misspelt name', jwt({ key, kid: 'k' }), 'client.authentication.kid is not an option'],
  ['no key', jwt({}), 'client.authentication must have key or sign'],
  [
    'key and sign',
    jwt({ key, sign: () => '' }),
    'client.authentication.sign excludes client.authentication.key',
  ],
  [
    'keyId with sign',
    jwt({ sign: () => '', keyId: 'k' }),
    'client.authentication.sign excludes client.authentication.keyId',
  ],
  [
    'a secret too',
    { ...jwt({ key }), clientSecret: 's' },
    'client.clientSecret excludes client.authentication.method private_key_jwt',
  ],
  [
    'a secret with TLS',
    { authentication: { method: 'tls_client_auth' }, clientSecret: 's' },
    'client.clientSecret excludes',
  ],
  [
    'no secret',
    { authentication: { method: 'client_secret_post' } },
    'client.clientSecret is required with client.authentication.method client_secret_post',
  ],
  [
    'no client id',
    { ...jwt({ key }), clientId: undefined },
    'client.clientId is required with client.authentication',
  ],
  ['a number', jwt({ key: 5 }), 'client.authentication.key is not a text or a KeyObject'],
  ['an empty key', jwt({ key: ' ' }), 'client.authentication.key is empty'],
  ['a public KeyObject', jwt({ key: ec.publicKey }), 'client.authentication.key is a public key'],
  ['a public PEM', jwt({ key: publicPem }), 'client.authentication.key is a public key'],
  ['a public JWK', jwt({ key: publicJwk }), 'client.authentication.key is a public key'],
  [
    'a symmetric JWK',
    jwt({ key: '{"kty":"oct","k":"AAAA"}' }),
    'client.authentication.key is a symmetric key',
  ],
  [
    'a set of keys',
    jwt({ key: '{"keys":[]}' }),
    'client.authentication.key is a set of keys; give one of them',
  ],
  ['a passphrase', jwt({ key: locked }), 'client.authentication.key has a passphrase; remove it'],
  [
    'no PEM',
    jwt({ key: 'secret-key-text' }),
    'client.authentication.key is not a private key in PEM or a JWK',
  ],
  [
    'a short RSA key',
    jwt({ key: shortRsa.privateKey }),
    'client.authentication.key is not usable: it does not have 2048 to 8192 bits',
  ],
  [
    'an odd curve',
    jwt({ key: oddCurve.privateKey }),
    'client.authentication.key is not an RSA key, an EC key on P-256, P-384 or P-521, or an Ed25519 key',
  ],
  [
    'an unknown algorithm',
    jwt({ key, algorithm: 'HS256' }),
    'client.authentication.algorithm must be one of RS256',
  ],
  [
    'an algorithm of another key',
    jwt({ key: rsa.privateKey, algorithm: 'ES256' }),
    'client.authentication.key does not fit the algorithm ES256; it fits RS256',
  ],
  [
    'a curve for another algorithm',
    jwt({ key, algorithm: 'ES384' }),
    'client.authentication.key does not fit the algorithm ES384; it fits ES256',
  ],
  ['an empty keyId', jwt({ key, keyId: '' }), 'client.authentication.keyId must not be empty'],
  [
    'a long audience',
    jwt({ key, audience: 'a'.repeat(1_025) }),
    'client.authentication.audience must have at most 1024 characters',
  ],
])('%s is refused in a sentence without the key', (_, client, message) => {
  const create = () =>
    new TokenBroker({
      tokenEndpoint: 'https://as.example.com/token',
      client: { clientId: 'orders', ...client } as never,
    })
  expect(create).toThrow(TypeError)
  expect(create).toThrow(message)
  expect(create).not.toThrow(/secret-key-text|BEGIN/)
})

test('authMethod of a named client excludes authentication', () => {
  const authentication = { method: 'private_key_jwt', key } as const
  const client = { clientId: 'a', authentication, authMethod: 'client_secret_post' } as const
  expect(
    () => new TokenBroker({ tokenEndpoint: 'https://as.example.com/token', clients: { a: client } }),
  ).toThrow('clients.a.authMethod excludes clients.a.authentication')
})
