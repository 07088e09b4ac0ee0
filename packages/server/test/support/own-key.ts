import { generateKeyPairSync, sign } from 'node:crypto'

const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const
export const rsaAlgorithms = ['RS256', 'RS384', 'RS512'] as const
export const ecAlgorithms = ['ES256', 'ES384', 'ES512'] as const
export type OwnAlgorithm = (typeof rsaAlgorithms)[number] | (typeof ecAlgorithms)[number]

/** A signing key that the look-alike of Dex does not have: its key set, and JWTs by it. */
export function createOwnKey(alg: OwnAlgorithm, { modulusLength = 2048 } = {}) {
  const { privateKey, publicKey } = alg.startsWith('RS')
    ? generateKeyPairSync('rsa', { modulusLength })
    : generateKeyPairSync('ec', { namedCurve: curves[alg as keyof typeof curves] })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'own', alg, use: 'sig' }
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return {
    keySet: JSON.stringify({ keys: [jwk] }),
    jwt(claims: object): string {
      const input = `${encode({ alg, kid: 'own' })}.${encode(claims)}`
      const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
      return `${input}.${sign(`sha${alg.slice(2)}`, Buffer.from(input), key).toString('base64url')}`
    },
  }
}
