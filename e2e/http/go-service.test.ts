import { type EnvoyProcess, envoyBootstrap, startEnvoy } from '@broker/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ask } from '../harness/client-request.ts'
import { credentials, type Dex, needsFaults, plainCaller, startDex } from '../harness/dex.ts'
import { goServiceBinary, startGoService } from '../harness/go-service.ts'
import { withCheckTimeout, withoutPathPrefix } from '../harness/listener-variants.ts'
import { type RecordingBackend, startBackend } from '../harness/recording-backend.ts'
import { brokerEnvironment } from '../harness/system.ts'
import { describeWithEnvoy, requireEnvoy } from '../harness/with-envoy.ts'

const plainCredentials = { 'x-client-id': plainCaller.id, 'x-client-secret': plainCaller.secret }

// The same Envoy with the Go service: where it fails here, the tests of the broker can fail.
const tests = () => {
  const stack = new AsyncDisposableStack()
  let dex: Dex
  let backend: RecordingBackend
  let envoy: EnvoyProcess

  beforeAll(async () => {
    dex = stack.use(await startDex())
    backend = stack.use(await startBackend(dex))
    const service = stack.use(await startGoService(goServiceBinary ?? '', brokerEnvironment(dex)))
    const bootstrap = envoyBootstrap({
      brokers: [service],
      backendPort: backend.port,
      listeners: {
        ingress: () => {},
        'no prefix': withoutPathPrefix,
        impatient: withCheckTimeout('1s'),
      },
      changeBrokerCluster: cluster => {
        cluster['health_checks'][0].http_health_check.path = '/healthz'
      },
    })
    envoy = stack.use(await startEnvoy(requireEnvoy(), bootstrap))
  })
  afterEach(() => {
    dex.lookAlike?.clearFaults()
    backend.clear()
  })
  afterAll(() => stack.disposeAsync())

  test('GET with credentials passes, so that what fails below is not the set-up', async () => {
    const answer = await ask(envoy.port('ingress'), { headers: plainCredentials })
    expect(answer.status).toBe(200)
    expect(backend.requests).toMatchObject([{ tokenAudience: plainCaller.id }])
  })

  test('finding 1: without path_prefix its probe lets /healthz pass, without a token', async () => {
    const answer = await ask(envoy.port('no prefix'), { target: '/healthz' })
    expect(answer.status).toBe(200)
    expect(backend.requests).toMatchObject([{ url: '/healthz', tokenAudience: undefined }])
  })

  test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s is answered 405', async method => {
    const answer = await ask(envoy.port('ingress'), { method, headers: plainCredentials })
    expect(answer.status).toBe(405)
    expect(backend.requests).toEqual([])
  })

  test('finding 3: while Dex is slower than the check, no request ever succeeds', async ({ skip }) => {
    const faults = dex.lookAlike ?? skip(needsFaults)
    faults.setFault('token', { kind: 'slow', delayMs: 1_500 })
    faults.resetRecords()
    const headers = { ...plainCredentials, 'x-scope': 'openid email' }
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      expect((await ask(envoy.port('impatient'), { headers })).status).toBe(503)
    }
    expect(faults.counts.tokenRequests).toBeGreaterThanOrEqual(4)
  })

  test('finding 4: the secret reaches the backend', async () => {
    await ask(envoy.port('ingress'), { headers: plainCredentials })
    expect(backend.requests[0]?.header('x-client-secret')).toEqual([plainCaller.secret])
  })

  test('finding 5: a forged header passes', async () => {
    await ask(envoy.port('ingress'), { headers: { ...plainCredentials, 'x-id-token': 'forged-by-client' } })
    expect(backend.requests[0]?.header('x-id-token')).toEqual(['forged-by-client'])
  })

  test('a secret with + and % is not the one that Dex gets', async () => {
    expect((await ask(envoy.port('ingress'), { headers: credentials })).status).toBe(401)
  })

  test('17 KB in a header are answered 431', async () => {
    const headers = { ...plainCredentials, authorization: `Bearer ${'x'.repeat(17_000)}` }
    expect((await ask(envoy.port('ingress'), { headers })).status).toBe(431)
  })
}

describeWithEnvoy('the Go service in the broker’s place (PEER_BIN)', tests, {
  PEER_BIN: goServiceBinary !== undefined,
})
