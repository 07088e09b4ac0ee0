import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workspacePackages } from '../workspace/workspace-packages.cjs'
import { factFaults, readReleaseFacts } from './release-facts.mjs'

const facts = readReleaseFacts()
const published = workspacePackages().filter(({ manifest }) => !manifest.private)

test('every published package agrees with release.json', () => {
  assert.ok(published.length > 0)
  for (const { folder, manifest } of published) assert.deepEqual(factFaults(folder, manifest, facts), [])
})

test('a package without repository is refused, with the reason that npm gives', () => {
  const [{ folder, manifest }] = published
  const { repository, ...without } = manifest
  assert.ok(repository)
  assert.deepEqual(factFaults(folder, without, facts), [
    'package.json has no repository: npm refuses it with E422, because the provenance names the repository of the workflow',
  ])
})

for (const field of ['homepage', 'bugs', 'keywords', 'license', 'engines', 'publishConfig']) {
  test(`a package without ${field} is refused`, () => {
    const [{ folder, manifest }] = published
    const faults = factFaults(folder, { ...manifest, [field]: undefined }, facts)
    assert.equal(faults.length, 1)
    assert.match(faults[0], new RegExp(`has no ${field}`))
  })
}

test('a repository of another owner, another folder and another scope are refused', () => {
  const [{ folder, manifest }] = published
  const url = 'git+https://github.com/another/repository.git'
  const faultsOf = changes => factFaults(folder, { ...manifest, ...changes }, facts).join('\n')
  assert.match(faultsOf({ repository: { ...manifest.repository, url } }), /another\/repository.*E422/)
  assert.match(faultsOf({ repository: { ...manifest.repository, directory: 'packages' } }), /directory/)
  assert.match(faultsOf({ name: '@another/core' }), /not in the scope/)
})

test('a package that release.json does not know is refused', () => {
  const [{ manifest }] = published
  assert.match(
    factFaults('packages/another', manifest, facts).join('\n'),
    /release\.json has no keywords for it/,
  )
})
