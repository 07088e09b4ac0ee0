import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { certificatesIn } from '../../../packages/server/src/config/values/ca-file.ts'
import { privateKeyIn } from '../../../packages/server/src/config/values/private-key-file.ts'
import { Refusal } from '../../../packages/server/src/config/values/refusal.ts'
import { readSealingKeyFile } from '../../../packages/server/src/config/values/sealing-key-file.ts'
import { repository } from '../block-coverage.ts'
import type { Target } from '../target.ts'

const fixtures = path.join(repository, 'packages/server/test/fixtures')
const certificates = ['chain-leaf.crt', 'chain-intermediate.crt', 'chain-root.crt'].map(file =>
  readFileSync(path.join(fixtures, file), 'utf8'),
)
const privateKey = readFileSync(path.join(fixtures, 'chain-leaf.key'), 'utf8')
const keyLine = privateKey.split('\n')[1] ?? ''
const sealingKeys = [
  'CX7ToQ3oOqzjIcQ0N1mY8Yp0m3Yk6Zq1n5k3V9rJ2hE=',
  'u1JY0cS0Qb3mD4c9rRrZ0q1fK0y5bq8oQ4c5xK2tVwA=',
]

/** Files of certificates. Each certificate that is kept is one for `X509Certificate`. */
export const certificateTarget: Target = {
  name: 'certificate',
  seeds: [
    certificates[2] ?? '',
    certificates.join(''),
    `${privateKey}${certificates[0]}`,
    `# comment\r\n${certificates[1]}`,
  ],
  dictionary: [
    '-----BEGIN CERTIFICATE-----',
    '-----END CERTIFICATE-----',
    '-----BEGIN PRIVATE KEY-----',
    '\n',
    '\r\n',
  ],
  maxBytes: 262_144,
  sources: ['packages/server/src/config/values/ca-file.ts'],
  judge(input) {
    refusing(() => {
      const kept = certificatesIn('ca.pem', input.toString())
      assert.ok(!kept.includes('PRIVATE KEY'), 'keeps a private key')
      const blocks = kept.split(/(?=-----BEGIN CERTIFICATE-----)/)
      assert.ok(blocks.length > 0 && blocks.every(block => new X509Certificate(block).raw.length > 0))
    })
  },
}

/** Files of private keys. No message shows the key. */
export const privateKeyTarget: Target = {
  name: 'private-key',
  seeds: [
    privateKey,
    generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .privateKey.export({ type: 'sec1', format: 'pem' })
      .toString(),
    certificates[0] ?? '',
  ],
  dictionary: [
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN RSA PRIVATE KEY-----',
    'ENCRYPTED ',
    'Proc-Type: 4,ENCRYPTED\n',
  ],
  sources: ['packages/server/src/config/values/private-key-file.ts'],
  judge(input) {
    refusing(() => assert.equal(createPrivateKey(privateKeyIn('tls.key', input.toString())).type, 'private'))
  },
}

/** Files of keys of a shared store. Each key is 32 bytes, and no message shows one. */
export const sealingKeyTarget: Target = {
  name: 'sealing-key',
  seeds: [
    sealingKeys.join('\n'),
    `# first\n${sealingKeys[0]}\r\n\n`,
    sealingKeys[1]?.replaceAll('+', '-').replaceAll('=', '') ?? '',
  ],
  dictionary: [...sealingKeys, '\n', '#', '='],
  sources: [
    'packages/server/src/config/values/sealing-key-file.ts',
    'packages/core/src/tokens/shared-store/seal-key.ts',
  ],
  judge(input) {
    refusing(() => {
      const { keys } = readSealingKeyFile('keys', (_path, _limit, parse) => parse(input.toString()))
      const bytes = keys.map(({ text }) => Buffer.from(text, 'base64'))
      assert.ok(bytes.every(each => each.length === 32))
      assert.equal(new Set(bytes.map(each => each.toString('hex'))).size, keys.length)
    })
  },
}

function refusing(parse: () => void): void {
  try {
    parse()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    for (const shown of [keyLine, ...sealingKeys]) assert.ok(!error.message.includes(shown), error.message)
  }
}
