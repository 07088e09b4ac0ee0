import { type Story, startStory } from '@broker/example-opendepot'
import { findEnvoy, startRealApiServer } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const { DEX_BIN: dexBinary, KUBE_APISERVER_BIN: apiServer = '', ETCD_BIN: etcd = '' } = process.env

describe('OpenDepot with a recorded API server', () => walk({}))
describe(
  'OpenDepot with a real kube-apiserver',
  needs({ KUBE_APISERVER_BIN: apiServer !== '', ETCD_BIN: etcd !== '' }),
  () => walk({ startApiServer: () => startRealApiServer({ apiServer, etcd }) }),
)

/** OpenDepot's four rows and the machine flow, by the registry alone and through the broker. */
function walk(options: Pick<Parameters<typeof startStory>[0] & object, 'startApiServer'>): void {
  let story: Story
  beforeAll(async () => {
    const { path: envoyBinary } = await findEnvoy()
    story = await startStory({ ...options, dexBinary: dexBinary || undefined, envoyBinary })
  }, 60_000)
  afterAll(() => story?.[Symbol.asyncDispose]())

  test('a user with a valid Dex JWT passes with that JWT', async () => {
    const { user } = story.tokens
    const accepted = { status: 200, path: 'OIDC', groups: ['authors'] }
    expect(await story.askRegistry(user)).toEqual(accepted)
    expect(await story.askGateway(user)).toEqual(accepted)
  })

  test.each<keyof Story['tokens']>(['badSignature', 'expired', 'garbage', 'userOfOtherClient'])(
    '%s: 401, and the registry is not reached',
    async name => {
      const before = story.registryRequests
      expect(await story.askGateway(story.tokens[name])).toEqual({ status: 401 })
      expect(story.registryRequests).toBe(before)
    },
  )

  test('a request without a token is refused', async () => {
    expect(await story.askGateway(undefined)).toEqual({ status: 401 })
  })

  test('a bad or expired Dex JWT never becomes a service account at the registry', async () => {
    for (const token of [story.tokens.badSignature, story.tokens.expired, story.tokens.garbage]) {
      expect(await story.askRegistry(token)).toEqual({ status: 401, path: 'none' })
    }
  })

  test('a service account with a rule gets a Dex token with groups; it needs no secret of Dex', async () => {
    const { serviceAccount } = story.tokens
    expect(await story.askRegistry(serviceAccount)).toEqual({ status: 401, path: 'service account' })
    expect(await story.askGateway(serviceAccount)).toEqual({
      status: 200,
      path: 'OIDC',
      groups: ['deployers'],
    })
  })

  test('a service account without a rule is forbidden', async () => {
    const before = story.registryRequests
    expect(await story.askGateway(story.tokens.otherServiceAccount)).toEqual({ status: 403 })
    expect(story.registryRequests).toBe(before)
  })

  test('a token for the API server passes at the registry alone, and not at the broker', async () => {
    const { serviceAccountForApiServer: token } = story.tokens
    expect(await story.askRegistry(token)).toEqual({ status: 200, path: 'service account' })
    expect(await story.askGateway(token)).toEqual({ status: 401 })
  })

  test('the documented machine flow fails: `sub` is not the client id', async () => {
    const token = await story.machineToken('openid')
    expect(await story.askRegistry(token)).toEqual({
      status: 403,
      path: 'client credentials',
      groups: ['client:CgtjaS1waXBlbGluZQ'],
    })
  })

  test('the same machine token passes through the broker, which recognises the client', async () => {
    const token = await story.machineToken('openid')
    const accepted = { status: 200, path: 'OIDC', groups: ['deployers'] }
    expect(await story.askGateway(token)).toEqual(accepted)
  })

  test('a machine token for the audience opendepot passes the primary verifier', async () => {
    const token = await story.machineToken('groups audience:server:client_id:opendepot')
    const accepted = { status: 200, path: 'OIDC', groups: ['deployers'] }
    expect(await story.askRegistry(token)).toEqual(accepted)
    expect(await story.askGateway(token)).toEqual(accepted)
  })

  test('the secondary verifier takes a user of another Dex client for a machine', async () => {
    const answer = await story.askRegistry(story.tokens.userOfOtherClient)
    expect(answer).toMatchObject({ status: 403, path: 'client credentials' })
    expect(answer.groups).toEqual([expect.stringMatching(/^client:Cg0wLTM4NS0yODA4OS0wEgRtb2Nr$/)])
  })
}
