import { chartToolNeed, type RealApiServer, startRealApiServer } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCrds, refusalOf } from './cluster.ts'
import { renderedReleases } from './helm.ts'
import type { KubernetesObject } from './kubernetes-object.ts'
import { kustomized, kustomizeNeed } from './kustomize.ts'
import { releaseValues } from './release-values.ts'

const { KUBE_APISERVER_BIN: apiServer = '', ETCD_BIN: etcd = '', CRDS_DIR: crds = '' } = process.env
const namespace = 'my-app'
const kindsOfCrds = ['SecurityPolicy', 'BackendTLSPolicy']
const unknownKinds = ['Certificate', 'PodMonitor', 'PrometheusRule', 'ServiceMonitor']

const options = needs({
  KUBE_APISERVER_BIN: apiServer !== '',
  ETCD_BIN: etcd !== '',
  ...chartToolNeed('HELM_BIN'),
})

describe('a real API server', options, () => {
  let server: RealApiServer
  /** Equal ones once. */
  let objects: readonly KubernetesObject[]

  beforeAll(async () => {
    server = await startRealApiServer({ apiServer, etcd })
    await server.ask('/api/v1/namespaces', { body: { metadata: { name: namespace } } })
    if (crds !== '') await createCrds(server, crds)
    const releases = await renderedReleases(releaseValues())
    const texts = new Set(releases.flatMap(release => release.objects.map(object => JSON.stringify(object))))
    objects = [...texts].map(text => JSON.parse(text) as KubernetesObject)
  }, 120_000)
  afterAll(() => server?.[Symbol.asyncDispose]())

  /** Its objections, by object. */
  async function refusals(asked: readonly KubernetesObject[]): Promise<Readonly<Record<string, string>>> {
    expect(asked).not.toEqual([])
    const found: Record<string, string> = {}
    for (const object of asked) {
      const refusal = await refusalOf(server, object, { dryRun: true })
      if (refusal !== undefined) found[`${object.kind} ${object.metadata.name}`] = refusal
    }
    return found
  }

  test('accepts every object of the built-in kinds, without an unknown field', async () => {
    const own = objects.filter(({ kind }) => ![...kindsOfCrds, ...unknownKinds].includes(kind))
    expect(await refusals(own)).toEqual({})
  }, 120_000)

  test('finds a misspelt field', async () => {
    const service = objects.find(({ kind }) => kind === 'Service') as KubernetesObject
    expect(await refusals([{ ...service, spec: { ...service['spec'], selektor: {} } }])).toEqual({
      [`Service ${service.metadata.name}`]: expect.stringContaining('unknown field "spec.selektor"'),
    })
  })

  describe('with the CRDs', needs({ CRDS_DIR: crds !== '', ...kustomizeNeed }), () => {
    test('accepts every policy of the chart', async () => {
      expect(await refusals(objects.filter(({ kind }) => kindsOfCrds.includes(kind)))).toEqual({})
    }, 120_000)

    test('accepts every object of the manifests', async () => {
      for (const folder of ['header-mode', 'gate-mode']) {
        const manifests = await kustomized([folder], ['shared-store'])
        const named = manifests.map(object => ({ ...object, metadata: { ...object.metadata, namespace } }))
        expect(await refusals(named), folder).toEqual({})
      }
    }, 120_000)

    test('refuses a policy with a path and a path to replace it', async () => {
      const policy = objects.find(({ kind, spec }) => kind === 'SecurityPolicy' && spec.extAuth.http)
      const spoiled = structuredClone(policy) as KubernetesObject
      spoiled['spec'].extAuth.http.path = '/check'
      expect(await refusals([spoiled])).toEqual({
        [`SecurityPolicy ${spoiled.metadata.name}`]: expect.stringContaining(
          'only one of path or pathOverride',
        ),
      })
    })
  })
})
