import assert from 'node:assert/strict'
import { test } from 'node:test'
import { productionPackages, sbomFaults } from './sbom.mjs'

const lockfile = {
  importers: {
    'packages/server': {
      dependencies: { '@acme/core': { version: 'link:../core' }, a: { version: '1.0.0(peer@3.0.0)' } },
      optionalDependencies: { '@x/b': { version: '2.0.0' } },
      devDependencies: { vitest: { version: '5.0.0' } },
    },
    'packages/core': { dependencies: { c4: { version: 'c@4.0.0' } } },
  },
  snapshots: {
    'a@1.0.0(peer@3.0.0)': { dependencies: { peer: '3.0.0' } },
    'peer@3.0.0': { optionalDependencies: { a: '1.0.0(peer@3.0.0)' } },
    '@x/b@2.0.0': {},
    'c@4.0.0': {},
    'vitest@5.0.0': {},
  },
}
const expected = productionPackages(lockfile, 'packages/server')

test('a package needs at run time everything below its own dependencies and the dependencies of its siblings', () => {
  assert.deepEqual([...expected].sort(), ['@x/b@2.0.0', 'a@1.0.0', 'c@4.0.0', 'peer@3.0.0'])
})

test('an SBOM that has just that is in order', () => {
  assert.deepEqual(sbomFaults(sbomOf(expected), about), [])
})

test('an SBOM that lacks a package, has another one, has no hash, or is about something else is refused', () => {
  const [first, ...rest] = expected
  assert.deepEqual(sbomFaults(sbomOf(rest), about), [`${first} of the lockfile is missing`])
  assert.deepEqual(sbomFaults(sbomOf([...expected, 'vitest@5.0.0']), about), [
    'vitest@5.0.0 is not in the lockfile',
  ])
  const withoutHash = sbomOf(expected)
  withoutHash.components[0].externalReferences = []
  assert.deepEqual(sbomFaults(withoutHash, about), [`${first} has no hash`])
  const faults = sbomFaults(sbomOf(expected), { ...about, version: '0.2.0' })
  assert.deepEqual(faults, ['it is about @acme/server@0.1.0, not @acme/server@0.2.0'])
})

const about = { name: '@acme/server', version: '0.1.0', expected }

function sbomOf(ids) {
  const component = id => {
    const [, group, name, version] = id.match(/^(?:(@.+)\/)?(.+)@(.+)$/)
    return { group, name, version, externalReferences: [{ hashes: [{ alg: 'SHA-512' }] }] }
  }
  return {
    bomFormat: 'CycloneDX',
    metadata: { component: component('@acme/server@0.1.0') },
    components: [...[...ids].map(component), component('@acme/core@0.1.0')],
  }
}
