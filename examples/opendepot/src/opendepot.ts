import assert from 'node:assert/strict'
import { findEnvoy } from '@broker/testing'
import { startStory } from './story.ts'

const { path: envoyBinary } = await findEnvoy()
await using story = await startStory({ envoyBinary, dexBinary: process.env['DEX_BIN'] || undefined })
const { tokens } = story
const failures: string[] = []

/** Each: a token, what the registry alone answers, what it answers through the broker, and by which path. */
const rows = [
  ['valid Dex JWT of a user', tokens.user, '200 OIDC', '200 OIDC'],
  ['bad Dex JWT', tokens.badSignature, '401 none', '401'],
  ['expired Dex JWT', tokens.expired, '401 none', '401'],
  ['service account, for the broker', tokens.serviceAccount, '401 service account', '200 OIDC'],
  ['another service account, for the broker', tokens.otherServiceAccount, '401 service account', '403'],
  ['service account, for the API server', tokens.serviceAccountForApiServer, '200 service account', '401'],
  ['garbage', tokens.garbage, '401 none', '401'],
  ['machine, as documented', await story.machineToken('openid'), '403 client credentials', '200 OIDC'],
  [
    'machine, for the audience opendepot',
    await story.machineToken('groups audience:server:client_id:opendepot'),
    '200 OIDC',
    '200 OIDC',
  ],
  ['user of another Dex client', tokens.userOfOtherClient, '403 client credentials', '401'],
] as const

for (const [name, token, alone, throughBroker] of rows) {
  const direct = await story.askRegistry(token)
  const before = story.registryRequests
  const gated = await story.askGateway(token)
  const seen = [shown(direct), shown(gated)]
  console.log(`${name.padEnd(42)} ${seen[0]?.padEnd(24)} ${seen[1]}`)
  const isHeld = gated.status === 200 || story.registryRequests === before
  if (seen[0] !== alone || seen[1] !== throughBroker || !isHeld) {
    failures.push(`${name}: expected ${alone} and ${throughBroker}`)
  }
}

assert.deepEqual(failures, [])
console.log(
  'people pass with their own JWT; pipelines and service accounts get a token that the registry accepts',
)

function shown(answer: { readonly status: number; readonly path?: string }): string {
  return answer.path === undefined ? `${answer.status}` : `${answer.status} ${answer.path}`
}
