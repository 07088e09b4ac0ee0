// Dex's stand-in in a separate process, so that its CPU time is not the server's. Controlled over the IPC channel.
import { writeFileSync } from 'node:fs'
import { type SigningAlgorithm, startDevDex } from '@broker/dev-dex'
import { clientSecret, type DexDescription, type DexQuestion } from './dex-process.ts'
import { rawCheck } from './raw-request.ts'

const dayS = 24 * 60 * 60

const [clientCount, algorithm] = process.argv.slice(2)
const dex = await startDevDex({
  algorithm: algorithm as SigningAlgorithm,
  clients: Array.from({ length: Number(clientCount) }, (_, index) => ({
    id: `client-${index}`,
    secret: clientSecret(index),
    groups: ['orders'],
    trustedPeers: ['client-0'],
  })),
})

/** The first key stays published, because a caller's JWT and cached tokens are signed by it. */
const firstKid = dex.currentKid
async function rotateKeys(): Promise<void> {
  const before = dex.currentKid
  await dex.rotateKeys()
  if (before !== firstKid) dex.retireKey(before)
}

function callersJwt(index: number): string {
  const now = Math.floor(Date.now() / 1000)
  return dex.signJwt({
    iss: dex.issuer,
    sub: 'CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjYSBWxvY2Fs',
    aud: 'orders',
    exp: now + dayS,
    iat: now,
    jti: `caller-${index}`,
    email: 'kilgore@example.com',
    email_verified: true,
    groups: ['engineering', 'operations'],
    name: 'Kilgore Trout',
  })
}

process.on('message', (question: DexQuestion) => {
  switch (question.ask) {
    case 'description': {
      const description: DexDescription = {
        issuer: dex.issuer,
        tokenEndpoint: dex.tokenEndpoint,
        jwksUri: dex.jwksUri,
      }
      process.send?.(description)
      break
    }
    case 'token-requests':
      process.send?.(dex.counts.tokenRequests)
      break
    case 'rotate-keys':
      void rotateKeys().then(() => process.send?.(true))
      break
    case 'jwt':
      process.send?.(callersJwt(0))
      break
    case 'jwt-checks': {
      const checks = Array.from({ length: question.count }, (_, index) =>
        rawCheck({ authorization: `Bearer ${callersJwt(index)}` }),
      )
      writeFileSync(question.file, checks.join('\0'))
      process.send?.(true)
      break
    }
  }
})
process.on('disconnect', () => process.exit())
