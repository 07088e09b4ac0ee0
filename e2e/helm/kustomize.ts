import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chartToolNeed, findChartTool } from '@broker/testing'
import { stringify } from 'yaml'
import { objectsIn, run } from './helm.ts'
import type { KubernetesObject } from './kubernetes-object.ts'

/** The folder of the manifests. */
const manifestsFolder = fileURLToPath(new URL('../../deploy/kubernetes/', import.meta.url))

/** For `needs`. */
export const kustomizeNeed = chartToolNeed('KUSTOMIZE_BIN')

/** Policies that a mode can list. */
export type PolicyFile = `security-policy-${'1.7' | '1.8' | 'grpc'}.yaml`

/** The objects of an overlay with these folders of deploy/kubernetes as resources and components, and this policy of the modes. */
export async function kustomized(
  resources: readonly string[],
  components: readonly string[] = [],
  policy: PolicyFile = 'security-policy-1.8.yaml',
): Promise<readonly KubernetesObject[]> {
  return builtFrom(policy, async folder => {
    const inCopy = (name: string) => `../${name}`
    const overlay = { resources: resources.map(inCopy), components: components.map(inCopy) }
    await mkdir(join(folder, 'overlay'))
    await writeFile(join(folder, 'overlay/kustomization.yaml'), stringify(overlay))
    return 'overlay'
  })
}

/** The objects of deploy/kubernetes/example for a namespace, after the changes that its comments name. */
export async function exampleOverlay(
  namespace: string,
  mode: 'header' | 'gate',
  components: readonly string[],
  policy: PolicyFile,
): Promise<readonly KubernetesObject[]> {
  return builtFrom(policy, async folder => {
    const listed = components.map(name => `\ncomponents:\n  - ../${name}`).join('')
    await edit(join(folder, 'example/kustomization.yaml'), {
      'namespace: my-app': `namespace: ${namespace}`,
      '  - ../header-mode': `  - ../${mode}-mode${listed}`,
    })
    return 'example'
  })
}

/** Builds an overlay in a copy of the manifests, whose modes list this policy. */
async function builtFrom(
  policy: PolicyFile,
  overlayIn: (folder: string) => Promise<string>,
): Promise<readonly KubernetesObject[]> {
  const folder = await mkdtemp(join(tmpdir(), 'manifests-'))
  try {
    await cp(manifestsFolder, folder, { recursive: true })
    for (const mode of ['header-mode', 'gate-mode']) {
      const line = (file: string) => `  - ${file}`
      const changes = { [line('security-policy-1.8.yaml')]: line(policy) }
      await edit(join(folder, mode, 'kustomization.yaml'), changes)
    }
    const program = findChartTool('KUSTOMIZE_BIN') ?? 'kustomize'
    const overlay = join(folder, await overlayIn(folder))
    const { exitCode, stdout, stderr } = await run(program, ['build', overlay])
    if (exitCode !== 0) throw new Error(stderr)
    return objectsIn(stdout)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Replaces lines of a file, each of which must be there once. */
async function edit(file: string, changes: Readonly<Record<string, string>>): Promise<void> {
  const lines = (await readFile(file, 'utf8')).split('\n')
  for (const [line, replacement] of Object.entries(changes)) {
    if (lines.filter(candidate => candidate === line).length !== 1)
      throw new Error(`${file}: no line ${line}`)
    lines[lines.indexOf(line)] = replacement
  }
  await writeFile(file, lines.join('\n'))
}
