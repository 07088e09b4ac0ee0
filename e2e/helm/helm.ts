import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chartToolNeed, findChartTool } from '@broker/testing'
import { needs } from '@broker/testing/vitest'
import { parseAllDocuments, stringify } from 'yaml'
import type { KubernetesObject } from './kubernetes-object.ts'

/** The folder of the chart. */
export const chartFolder: string = fileURLToPath(
  new URL('../../deploy/helm/dex-token-broker/', import.meta.url),
)

/** For tests that render the chart. */
export const needsHelm = needs(chartToolNeed('HELM_BIN'))

export interface ToolResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Values of a release, or a file of them. */
export type Values = Readonly<Record<string, unknown>> | string

/** Runs a program to its end. */
export function run(program: string, args: readonly string[]): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr })
    })
  })
}

/** Runs a subcommand of Helm on a chart with these values. */
export async function helm(
  args: readonly string[],
  values: Values,
  chart: string = chartFolder,
): Promise<ToolResult> {
  const folder = await mkdtemp(join(tmpdir(), 'helm-'))
  try {
    const file = typeof values === 'string' ? values : join(folder, 'values.yaml')
    if (typeof values !== 'string') await writeFile(file, stringify(values))
    return await run(findChartTool('HELM_BIN') ?? 'helm', [...args, chart, '--values', file])
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The manifests of the release `broker` in the namespace `my-app`, its tests too. */
export async function renderedText(values: Values, chart?: string): Promise<string> {
  const args = ['template', 'broker', '--namespace', 'my-app']
  const { exitCode, stdout, stderr } = await helm(args, values, chart)
  if (exitCode !== 0) throw new Error(stderr)
  return stdout
}

/** The objects of that release. */
export async function rendered(values: Values, chart?: string): Promise<readonly KubernetesObject[]> {
  return objectsIn(await renderedText(values, chart))
}

/** A release of the matrix, as text and as objects. */
export interface RenderedRelease {
  readonly name: string
  readonly text: string
  readonly objects: readonly KubernetesObject[]
}

/** Renders releases, a few at a time. */
export async function renderedReleases(
  releases: ReadonlyMap<string, Values>,
): Promise<readonly RenderedRelease[]> {
  const waiting = [...releases]
  const done: RenderedRelease[] = []
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, values] = next
      const text = await renderedText(values)
      done.push({ name, text, objects: objectsIn(text) })
    }
  }
  await Promise.all(Array.from({ length: 4 }, work))
  return done
}

/** Every document of a YAML stream, read as Kubernetes reads it: 0440 is octal. Throws on a duplicate key and other mistakes. */
export function objectsIn(text: string): readonly KubernetesObject[] {
  return parseAllDocuments(text, { version: '1.1' }).flatMap(document => {
    if (document.errors.length > 0) throw document.errors[0]
    const object = document.toJS() as KubernetesObject | null
    return object === null ? [] : [object]
  })
}
