import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chartToolNeed, findChartTool } from '@broker/testing'
import { stringify } from 'yaml'
import { objectsIn, run } from './helm.ts'
import type { KubernetesObject } from './kubernetes-object.ts'

/** The folder of the manifests. */
export const manifestsFolder: string = fileURLToPath(new URL('../../deploy/kubernetes/', import.meta.url))

/** For `needs`. */
export const kustomizeNeed = chartToolNeed('KUSTOMIZE_BIN')

/** The objects of an overlay with these folders of deploy/kubernetes as resources and components. */
export async function kustomized(
  resources: readonly string[],
  components: readonly string[] = [],
): Promise<readonly KubernetesObject[]> {
  const folder = await mkdtemp(join(tmpdir(), 'overlay-'))
  try {
    const fromHere = (name: string) => relative(folder, join(manifestsFolder, name))
    const overlay = { resources: resources.map(fromHere), components: components.map(fromHere) }
    await writeFile(join(folder, 'kustomization.yaml'), stringify(overlay))
    const program = findChartTool('KUSTOMIZE_BIN') ?? 'kustomize'
    const { exitCode, stdout, stderr } = await run(program, ['build', folder])
    if (exitCode !== 0) throw new Error(stderr)
    return objectsIn(stdout)
  } finally {
    await rm(folder, { recursive: true })
  }
}
