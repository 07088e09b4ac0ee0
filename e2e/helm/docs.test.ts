import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findChartTool } from '@broker/testing'
import { expect, test } from 'vitest'
import { apiTypeFaults } from './api-types.ts'
import { chartFolder, needsHelm, objectsIn, run } from './helm.ts'
import { only } from './kubernetes-object.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const pages = ['docs/helm.md', 'deploy/README.md', 'deploy/helm/dex-token-broker/README.md']
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** The commands of the pages that install or upgrade the chart. */
const commands = new Set(
  pages.flatMap(page =>
    [...read(page).matchAll(/^(?:\$ )?(helm (?:install|upgrade) .*dex-token-broker.*)$/gm)].map(
      ([, line = '']) => line,
    ),
  ),
)

/** Helm's answer to such a command, without a cluster. */
function renderedBy(command: string) {
  const args = command
    .replace(/^helm \w+/, 'template')
    .replace('values.yaml', join(chartFolder, 'examples/values-gate.yaml'))
    .replace('deploy/helm/dex-token-broker ', `${chartFolder} `)
  return run(findChartTool('HELM_BIN') ?? 'helm', args.split(' '))
}

test.for([...commands])('%s does what the page says', needsHelm, async command => {
  const { stdout, stderr } = await renderedBy(command)
  const [, shown] = read('docs/helm.md').split(`$ ${command}\n`)
  if (shown === undefined) {
    expect(stderr).toBe('')
    expect(only(objectsIn(stdout), 'Deployment').metadata.name).toBe('broker-dex-token-broker')
  } else {
    const [error = ''] = shown.split('\n')
    expect(stderr.split('\n')[0]).toBe(error.replace('INSTALLATION FAILED: ', ''))
  }
})

test('the pages have commands', () => {
  expect(commands.size).toBeGreaterThan(2)
})

test('the ExternalSecret fills the Secret that the example of mode gate names', async () => {
  const [externalSecret] = objectsIn(readFileSync(join(chartFolder, 'examples/external-secret.yaml'), 'utf8'))
  if (externalSecret === undefined) throw new Error('there is none')
  expect(await apiTypeFaults([externalSecret])).toBe('')
  const example = readFileSync(join(chartFolder, 'examples/values-gate.yaml'), 'utf8')
  expect(example).toContain(`existingSecret: ${externalSecret['spec'].target.name}\n`)
  expect(externalSecret['spec'].data[0].secretKey).toBe('client-secret')
})
