import { KeyObject, verify, type webcrypto } from 'node:crypto'
import { promisify } from 'node:util'
import { compactVerify, createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose'

// The cost of verifying a signature, three ways: `node bench/src/signatures.ts`. Figures are CPU time of the whole process,
// with eight verifications under way at a time; behind them the time that passed.

const jwtCount = 400
const rounds = 4_000
const digests: Readonly<Record<string, string>> = { 256: 'sha256', 384: 'sha384', 512: 'sha512' }
const verifyInThreadPool = promisify(verify)

for (const alg of ['RS256', 'RS512', 'ES256', 'ES384', 'ES512']) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg, use: 'sig' }
  const select = createLocalJWKSet({ keys: [jwk, { ...jwk, kid: 'another' }] })
  const jwts = await Promise.all(
    Array.from({ length: jwtCount }, (_, index) =>
      new SignJWT({ index, groups: ['a', 'b'] })
        .setProtectedHeader({ alg, kid: 'k' })
        .setExpirationTime('1h')
        .sign(privateKey),
    ),
  )
  const key = KeyObject.from((await select({ alg, kid: 'k' })) as webcrypto.CryptoKey)
  const input = { key, dsaEncoding: 'ieee-p1363' } as const
  const parts = (jwt: string) => {
    const end = jwt.lastIndexOf('.')
    return [Buffer.from(jwt.slice(0, end), 'latin1'), Buffer.from(jwt.slice(end + 1), 'base64url')] as const
  }
  const ways: Readonly<Record<string, (jwt: string) => Promise<unknown>>> = {
    'jose.compactVerify (WebCrypto)': jwt => compactVerify(jwt, select, { algorithms: [alg] }),
    'jose selects, crypto.verify': async jwt => {
      await select({ alg, kid: 'k' })
      const [signed, signature] = parts(jwt)
      if (!verify(digests[alg.slice(2)], signed, input, signature)) throw new Error('not verified')
    },
    'crypto.verify, thread pool': async jwt => {
      const [signed, signature] = parts(jwt)
      if (!(await verifyInThreadPool(digests[alg.slice(2)], signed, input, signature))) {
        throw new Error('not verified')
      }
    },
  }
  for (const [name, way] of Object.entries(ways)) {
    const run = async (count: number) => {
      for (let done = 0; done < count; done += 8) {
        await Promise.all(jwts.slice(done % jwtCount, (done % jwtCount) + 8).map(way))
      }
    }
    await run(jwtCount)
    const startedAt = performance.now()
    const before = process.cpuUsage()
    await run(rounds)
    const { user, system } = process.cpuUsage(before)
    const cpu = ((user + system) / rounds).toFixed(1).padStart(8)
    const wall = (((performance.now() - startedAt) * 1000) / rounds).toFixed(1).padStart(8)
    console.log(`${alg}  ${name.padEnd(32)}${cpu} µs CPU ${wall} µs`)
  }
}
