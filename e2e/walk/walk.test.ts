import { type BrokerProcess, type Gateway, startBroker, startGateway } from '@broker/testing'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { ask } from '../harness/client-request.ts'
import { caller, credentials, type Dex, peer, startDex } from '../harness/dex.ts'
import { anyPorts, protocol } from '../harness/protocol.ts'
import { type RecordedRequest, type RecordingBackend, startBackend } from '../harness/recording-backend.ts'
import { brokerEnvironment } from '../harness/system.ts'

const { 'x-scope': _, ...withoutScope } = credentials
const withScope = (scope: string) => ({ ...credentials, 'x-scope': scope })
const envoyBinary = inject('envoyBinary')

// The same tests for both: the quickstart runs the stand-in where there is no Envoy, and must show the same there.
describe.skipIf(envoyBinary === undefined)('behind Envoy', () => describeWalk(envoyBinary))
// The stand-in speaks HTTP only.
if (protocol === 'http') describe('behind the stand-in for Envoy', () => describeWalk(undefined))

function describeWalk(binary: string | undefined): void {
  const resources = new AsyncDisposableStack()
  let dex: Dex
  let backend: RecordingBackend
  let broker: BrokerProcess
  let gateway: Gateway
  beforeAll(async () => {
    dex = resources.use(await startDex())
    backend = resources.use(await startBackend(dex))
    broker = resources.use(await startBroker(brokerEnvironment(dex), anyPorts))
    gateway = resources.use(
      await startGateway({ envoyBinary: binary, protocol, broker, backendPort: backend.port }),
    )
  })
  afterEach(() => backend.clear())
  afterAll(() => resources.disposeAsync())

  const tokenRequests = async () =>
    dex.lookAlike?.counts.tokenRequests ??
    (await broker.metric('dex_token_broker_token_request_duration_seconds_count'))

  /** How many token requests something causes. */
  async function tokenRequestsOf(run: () => Promise<unknown>): Promise<number> {
    const before = await tokenRequests()
    await run()
    return (await tokenRequests()) - before
  }

  async function arrived(request: Parameters<typeof ask>[1]): Promise<RecordedRequest> {
    expect(await ask(gateway.port, request)).toMatchObject({ status: 200 })
    const recorded = backend.requests.at(-1) as RecordedRequest
    expect(recorded.tokenAudience).toContain(caller.id)
    return recorded
  }

  test('the first call costs a token request, the second none', async () => {
    const headers = withScope('email')
    expect(await tokenRequestsOf(() => arrived({ headers }))).toBe(1)
    expect(await tokenRequestsOf(() => arrived({ headers }))).toBe(0)
  })

  test('another scope is another token, and openid brings an ID token', async () => {
    const plain = await arrived({ headers: withoutScope })
    const scoped = await arrived({ headers: withScope('openid profile') })
    expect(scoped.header('authorization')).not.toEqual(plain.header('authorization'))
    expect(plain.header('x-id-token')).toEqual([])
    expect(decodeJwt(scoped.header('x-id-token')[0] ?? '')).toMatchObject({ iss: dex.issuer, aud: caller.id })
  })

  test('a scope asks for a token for another client', async () => {
    const request = await arrived({ headers: withScope(`audience:server:client_id:${peer.id}`) })
    expect(request.tokenAudience?.split(' ')).toEqual([peer.id, caller.id])
  })

  test('a wrong secret is answered 401 each time, costs one token request, and reaches nobody', async () => {
    const headers = { ...credentials, 'x-client-secret': 'wrong' }
    const requests = await tokenRequestsOf(async () => {
      for (let count = 0; count < 20; count++) {
        const { status, headers: answered } = await ask(gateway.port, { headers })
        expect([status, answered['www-authenticate']]).toEqual([401, 'Bearer realm="dex-token-broker"'])
      }
    })
    expect(requests).toBe(1)
    expect(backend.requests).toEqual([])
  })

  test('200 calls at once for a new token share one token request and its token', async () => {
    const headers = withScope('openid email groups')
    const calls = () => Promise.all(Array.from({ length: 200 }, () => ask(gateway.port, { headers })))
    expect(await tokenRequestsOf(calls)).toBe(1)
    const tokens = backend.requests.map(request => request.header('authorization').join())
    expect(tokens).toHaveLength(200)
    expect(new Set(tokens).size).toBe(1)
  })

  test('the method, the target and the body arrive as they were sent', async () => {
    const target = '/upload/a%20file?version=2'
    const body = 'x'.repeat(100_000)
    const request = await arrived({ method: 'PUT', target, headers: credentials, body })
    expect(request).toMatchObject({ method: 'PUT', url: target, bodyLength: body.length })
  })

  test('neither credentials nor a forged header reach the backend, and other headers do', async () => {
    const headers = { ...withoutScope, 'x-id-token': 'forged', authorization: 'forged', 'x-trace': '42' }
    const request = await arrived({ headers })
    for (const name of ['x-client-id', 'x-client-secret', 'x-scope', 'x-id-token'])
      expect(request.header(name)).toEqual([])
    expect(request.header('x-trace')).toEqual(['42'])
    expect(request.rawHeaders.join()).not.toContain('forged')
    expect(request.rawHeaders.join()).not.toContain(caller.secret)
  })

  test.each(['/', '/healthz', '/x/../../healthz'])(
    '%s without credentials is refused, and reaches nobody',
    async target => {
      expect(await ask(gateway.port, { target })).toMatchObject({ status: 401 })
      expect(backend.requests).toEqual([])
    },
  )
}
