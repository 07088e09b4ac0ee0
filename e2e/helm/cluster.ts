import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RealApiServer, until } from '@broker/testing'
import { objectsIn } from './helm.ts'
import type { KubernetesObject } from './kubernetes-object.ts'

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string }[]
}

/** Where objects of an API version are created: `/api/v1` or `/apis/<group>/<version>`. */
function pathOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
}

/** The plural name of a kind; `undefined` when the API server does not know it. */
async function resourceOf(server: RealApiServer, { apiVersion, kind }: KubernetesObject) {
  const answer = await server.ask(pathOf(apiVersion))
  if (answer.status !== 200) return undefined
  const { resources } = JSON.parse(answer.body) as ResourceList
  return resources.find(resource => resource.kind === kind && !resource.name.includes('/'))?.name
}

/** Creates an object, or only asks whether it could be; resolves with what the API server has against it, or nothing. */
export async function refusalOf(
  server: RealApiServer,
  object: KubernetesObject,
  { dryRun }: { readonly dryRun: boolean },
): Promise<string | undefined> {
  const resource = await resourceOf(server, object)
  if (resource === undefined) return `the API server does not know ${object.apiVersion} ${object.kind}`
  const { namespace } = object.metadata
  const folder = namespace === undefined ? '' : `/namespaces/${namespace}`
  const path = `${pathOf(object.apiVersion)}${folder}/${resource}`
  const query = `fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`
  const answer = await server.ask(`${path}?${query}`, { body: object })
  return answer.status === 201 ? undefined : (JSON.parse(answer.body) as { message: string }).message
}

/** Creates the CustomResourceDefinitions in the YAML files of a folder, and waits until their kinds can be used. */
export async function createCrds(server: RealApiServer, folder: string): Promise<void> {
  const files = readdirSync(folder).filter(file => /\.ya?ml$/.test(file))
  const objects = files.flatMap(file => objectsIn(readFileSync(join(folder, file), 'utf8')))
  const crds = objects.filter(({ kind }) => kind === 'CustomResourceDefinition')
  if (crds.length === 0) throw new Error(`${folder} has no CustomResourceDefinition`)
  for (const crd of crds) {
    const refusal = await refusalOf(server, crd, { dryRun: false })
    if (refusal !== undefined) throw new Error(`${crd.metadata.name}: ${refusal}`)
  }
  const { group, names, versions } = crds.at(-1)?.['spec'] ?? {}
  const last = { apiVersion: `${group}/${versions[0].name}`, kind: names.kind, metadata: { name: '' } }
  await until(async () => (await resourceOf(server, last)) !== undefined, `the kind ${names.kind}`)
}
