import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findChartTool } from '@broker/testing'
import { objectsIn, run } from '../helm/helm.ts'
import type { KubernetesObject } from '../helm/kubernetes-object.ts'
import { manifestsFolder } from '../helm/kustomize.ts'

export interface OverlayOptions {
  readonly namespace: string
  readonly mode: 'header' | 'gate'
  /** The file that the mode lists. */
  readonly policy: string
  readonly components?: readonly string[]
}

/** The objects of deploy/kubernetes/example, after the changes that its comments and docs name. */
export async function exampleOverlay(options: OverlayOptions): Promise<readonly KubernetesObject[]> {
  const { namespace, mode, policy, components = [] } = options
  const folder = await mkdtemp(join(tmpdir(), 'manifests-'))
  try {
    await cp(manifestsFolder, folder, { recursive: true })
    const listed = components.map(name => `\ncomponents:\n  - ../${name}`).join('')
    await edit(join(folder, 'example/kustomization.yaml'), {
      'namespace: my-app': `namespace: ${namespace}`,
      '  - ../header-mode': `  - ../${mode}-mode${listed}`,
    })
    await edit(join(folder, `${mode}-mode/kustomization.yaml`), {
      '  - security-policy-1.8.yaml': `  - ${policy}`,
    })
    const program = findChartTool('KUSTOMIZE_BIN') ?? 'kustomize'
    const { exitCode, stdout, stderr } = await run(program, ['build', join(folder, 'example')])
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
