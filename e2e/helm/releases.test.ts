import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { apiTypeFaults } from './api-types.ts'
import { chartFolder, needsHelm, type RenderedRelease, renderedReleases } from './helm.ts'
import { type KubernetesObject, only } from './kubernetes-object.ts'
import { releaseValues } from './release-values.ts'

/** A script, which has no types. */
const rulesOfManifests = new URL('../../scripts/deploy/validate-deploy-rules.mjs', import.meta.url).href
interface ManifestRules {
  deploymentFaults(files: ReadonlyMap<string, string>, variableNames: readonly string[]): readonly string[]
}

let releases: readonly RenderedRelease[]

describe('in every release', needsHelm, () => {
  beforeAll(async () => {
    releases = await renderedReleases(releaseValues())
  }, 120_000)

  test('no two objects have one name', () => {
    for (const { name, objects } of releases) {
      const ids = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
      expect(new Set(ids).size, name).toBe(ids.length)
    }
  })

  test('Service, policies and budget select the pods of the Deployment, and not the test', () => {
    for (const { name, objects } of releases) {
      const { spec } = only(objects, 'Deployment')
      const selector = spec.selector.matchLabels
      expect(selector['app.kubernetes.io/instance']).toBe('broker')
      expect(spec.template.metadata.labels, name).toMatchObject(selector)
      expect(only(objects, 'Service').spec.selector, name).toEqual(selector)
      expect(only(objects, 'NetworkPolicy').spec.podSelector.matchLabels, name).toEqual(selector)
      expect(only(objects, 'PodDisruptionBudget').spec.selector.matchLabels, name).toEqual(selector)
      expect(only(objects, 'Pod').metadata.labels, name).not.toMatchObject(selector)
    }
  })

  test('every secret is in a Secret that exists already', () => {
    for (const { name, objects } of releases) {
      expect(
        objects.filter(({ kind }) => kind === 'Secret'),
        name,
      ).toEqual([])
    }
  })

  test('the rules for the manifests of deploy/ hold', async () => {
    const { deploymentFaults } = (await import(rulesOfManifests)) as ManifestRules
    const variableNames = documentedVariables()
    for (const { name, objects } of releases) {
      const files = objects
        .filter(({ kind }) => kindsWithRules.includes(kind))
        .map(object => [fileOf(object, name), JSON.stringify(object)] as const)
      const faults = deploymentFaults(new Map(files), [...variableNames, 'OTHER_SECRET'])
      expect(
        faults.filter(fault => !fault.startsWith('deploy/docker/')),
        name,
      ).toEqual([])
    }
  })

  test('the types of the API accept every object', async () => {
    expect(await apiTypeFaults(releases.flatMap(({ objects }) => objects))).toBe('')
  }, 60_000)

  test('nothing comes from a template that no release renders', () => {
    const sources = releases.flatMap(({ text }) =>
      [...text.matchAll(/^# Source: dex-token-broker\/templates\/(.+)$/gm)].map(([, file = '']) => file),
    )
    const templates = readdirSync(join(chartFolder, 'templates'), { recursive: true, encoding: 'utf8' })
    const expected = templates.filter(file => file.endsWith('.yaml'))
    expect([...new Set(sources)].sort()).toEqual(expected.sort())
  })
})

test('the types of the API find a misspelt field, and a number as text', async () => {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a' }, automount: false }
  const budget = {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'a' },
    spec: { selector: { matchLabels: { a: 1 } } },
  }
  const faults = await apiTypeFaults([account, budget])
  expect(faults).toMatch(/automount.* does not exist in type 'IServiceAccount'/)
  expect(faults).toMatch(/Type 'number' is not assignable to type 'string'/)
})

const kindsWithRules = [
  'Deployment',
  'Service',
  'ServiceAccount',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'SecurityPolicy',
  'BackendTLSPolicy',
  'Certificate',
]

/** The rules know a policy for gRPC, and a Service with TLS, by the name of the file. */
function fileOf({ kind }: KubernetesObject, release: string): string {
  const isPolicy = kind === 'SecurityPolicy'
  const isGrpc = isPolicy && release.includes('grpc')
  const hasRules = isPolicy && !isGrpc && release.startsWith('rules')
  const hasTls = kind === 'Service' && release.includes('tls')
  return `deploy/kubernetes/${kind}${isGrpc ? '-grpc' : ''}${hasRules ? '-rules' : ''}${hasTls ? '-patch' : ''}.yaml`
}

/** Of the server; the generated page has a heading for each. */
function documentedVariables(): readonly string[] {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  return [...page.matchAll(/^### ([A-Z_]+)$/gm)].map(([, name = '']) => name)
}
