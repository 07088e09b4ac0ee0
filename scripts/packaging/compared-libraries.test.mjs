// The table of libraries in docs/comparison.md: its names and versions, not its figures.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { comparedLibraries } from './compared-libraries.mjs'
import { librariesIn, libraryComparison } from './library-comparison.mjs'

const page = readFileSync(new URL('../../docs/comparison.md', import.meta.url), 'utf8')
const versions = comparedLibraries.map(({ name, version }) => ({ name, version }))

test('docs/comparison.md has the libraries and versions that the script measures', () => {
  assert.deepEqual(librariesIn(page), versions)
})

test('a published table has each library, its figures in their columns', () => {
  const times = { median: 12.4, min: 11, max: 19.6 }
  const figures = {
    installed: { bytes: 2048 * 1024, packages: 3 },
    bundle: { bytes: 1536, gzipBytes: 512 },
    imports: { wallMs: times, cpuMs: times },
    bundleImports: { wallMs: times, cpuMs: times },
    tokenRequests: { atOnce: 20, later: 0 },
  }
  const table = libraryComparison({
    date: '2030-01-01',
    machine: { cores: 2, architecture: 'x64', platform: 'linux', node: 'v26' },
    runs: 5,
    libraries: versions.map(library => ({ ...library, ...figures })),
  })
  const published = `<!-- library-comparison:begin -->\n\n${table}\n\n<!-- library-comparison:end -->`
  assert.deepEqual(librariesIn(published), versions)
  const row = '| 2,048 | 3 | 1.5 | 0.5 | 12 (11 to 20) | 12 (11 to 20) | 12 (11 to 20) | 20 | 0 |'
  assert.ok(table.includes(row), table)
})
