import {
  brokerCommand,
  chartToolNeed,
  createCertificateAuthority,
  envoyTls,
  ManagedProcess,
  MountedVolume,
  redisNeed,
  startRedis,
} from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { protocol } from '../../harness/protocol.ts'
import { describeWithEnvoy } from '../../harness/with-envoy.ts'
import { rendered } from '../helm.ts'
import type { KubernetesObject } from '../kubernetes-object.ts'
import { kustomized, kustomizeNeed } from '../kustomize.ts'
import { brokerHere, testHere } from './pod-here.ts'
import { caller, ownClient, type Surroundings, startGateway, startSurroundings } from './scene.ts'
import { environmentHere, type Mode, secrets, valuesHere } from './values-here.ts'

describeWithEnvoy(
  'a broker with what was rendered',
  () => {
    let scene: Surroundings
    beforeAll(async () => {
      scene = await startSurroundings()
    })
    afterEach(() => scene.backend.clear())
    afterAll(() => scene?.[Symbol.asyncDispose]())

    const valuesOf = (mode: Mode) => valuesHere(mode, scene)

    /** Requests that pass, by mode, and the client whose token the backend must get. */
    const passing = (mode: Mode) =>
      mode === 'header'
        ? { headers: { 'x-client-id': caller.id, 'x-client-secret': caller.secret }, client: caller.id }
        : { headers: { authorization: `Bearer ${scene.jwt}` }, client: ownClient.id }

    async function expectChecks(
      mode: Mode,
      env: Readonly<Record<string, string>>,
      changeBrokerCluster?: Parameters<typeof startGateway>[2],
    ) {
      const gateway = await startGateway(env, scene, changeBrokerCluster)
      onTestFinished(() => gateway[Symbol.asyncDispose]())
      const { headers, client } = passing(mode)
      expect(await gateway.ask({ headers })).toMatchObject({ status: 200 })
      expect(scene.backend.requests.map(({ tokenAudience }) => tokenAudience)).toEqual([client])
      expect(await gateway.ask({})).toMatchObject({ status: 401 })
      expect(scene.backend.requests.length).toBe(1)
      const ready = await fetch(`http://127.0.0.1:${gateway.broker.adminPort}/readyz`)
      expect(ready.status).toBe(200)
    }

    test.for(['header', 'gate', 'rules'] as const)(
      'of the chart in mode %s is ready, and checks',
      async mode => {
        using pod = brokerHere(await rendered(valuesOf(mode)), secrets)
        await expectChecks(mode, pod.env)
      },
    )

    test.for(['header', 'gate', 'rules'] as const)('of the chart in mode %s passes helm test', async mode => {
      using pod = testHere(await rendered(valuesOf(mode)), secrets)
      await using doctor = new ManagedProcess('doctor', process.execPath, [brokerCommand, ...pod.args], {
        env: { ...pod.env },
      })
      expect(await doctor.ended(), doctor.log).toBe(0)
      if (mode !== 'header') expect(doctor.log).toContain(ownClient.id)
    })

    test('of the chart in mode gate fails helm test when Dex has another secret', async () => {
      const wrong = { 'dex-token-broker': { 'client-secret': 'wrong' } }
      using pod = testHere(await rendered(valuesOf('gate')), wrong)
      await using doctor = new ManagedProcess('doctor', process.execPath, [brokerCommand, ...pod.args], {
        env: { ...pod.env },
      })
      expect(await doctor.ended(), doctor.log).toBe(1)
    })

    test('of the chart with callers that bring nothing gives them a token of its client', async () => {
      const client = { id: ownClient.id, existingSecret: 'dex-token-broker', scope: 'groups' }
      const values = { ...valuesOf('header'), client, allowUnauthenticatedCallers: true }
      using pod = brokerHere(await rendered(values), secrets)
      await using gateway = await startGateway(pod.env, scene)
      expect(await gateway.ask({})).toMatchObject({ status: 200 })
      expect(scene.backend.requests.map(({ tokenAudience }) => tokenAudience)).toEqual([ownClient.id])
    })

    test('of the chart with mutual TLS checks for Envoy with its certificate', async () => {
      const uri = 'spiffe://cluster.local/ns/envoy-gateway-system/sa/envoy'
      const authority = createCertificateAuthority()
      const name = 'broker-dex-token-broker.my-app.svc'
      const [own, envoy] = [authority.issue(name), authority.issueFor({ uris: [uri] })]
      const tls = {
        enabled: true,
        requireClientCertificate: true,
        clientSans: [uri],
        certificate: { create: true, issuerRef: { name: 'internal-ca' } },
        backendTlsPolicy: { enabled: true, caConfigMap: 'internal-ca' },
      }
      const objects = await rendered({ ...valuesOf('header'), tls })
      const files = (identity: typeof own) => ({
        'tls.crt': identity.cert,
        'tls.key': identity.key,
        'ca.crt': authority.cert,
      })
      using pod = brokerHere(objects, { ...secrets, 'broker-dex-token-broker-tls': files(own) })
      using ofEnvoy = new MountedVolume(files(envoy))
      await expectChecks('header', pod.env, envoyTls({ protocol, folder: ofEnvoy.folder, name }))
    })

    test('of the chart with a shared store puts its tokens there', needs(redisNeed()), async () => {
      await using redis = await startRedis({ password: 'store-password' })
      const sharedStore = { url: `redis://127.0.0.1:${redis.port}`, existingSecret: 'store' }
      const keys = Buffer.alloc(32, 7).toString('base64')
      const objects = await rendered({ ...valuesOf('header'), sharedStore })
      using pod = brokerHere(objects, { ...secrets, store: { keys, password: 'store-password' } })
      await expectChecks('header', pod.env)
      expect(Number(await redis.ask('DBSIZE'))).toBeGreaterThan(0)
    })

    test.for(['header', 'gate'] as const)(
      'of the manifests in mode %s is ready, and checks',
      needs(kustomizeNeed),
      async mode => {
        const manifests: readonly KubernetesObject[] = await kustomized([`${mode}-mode`])
        using pod = brokerHere(manifests, secrets)
        await expectChecks(mode, environmentHere(pod.env, scene))
      },
    )
  },
  chartToolNeed('HELM_BIN'),
)
