// docs/support.md names versions that other files decide.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { root } from '../workspace/workspace-packages.cjs'

const read = file => readFileSync(path.join(root, file), 'utf8')
const page = read('docs/support.md')
const rows = new Map(
  [...page.matchAll(/^\| (.+) \|$/gm)]
    .map(([, row]) => row.split('|').map(cell => cell.trim()))
    .filter(cells => cells.length === 5)
    .map(([part, inCi, byHand, shouldWork, doesNotWork]) => [
      part,
      { inCi, byHand, shouldWork, doesNotWork },
    ]),
)
const [, envoy] = read('scripts/workspace/find-envoy.mjs').match(/pinnedVersion = '([\d.]+)'/)
const compose = parse(read('deploy/compose/compose.yaml')).services
const nodes = parse(read('.github/workflows/ci.yml')).jobs.node.strategy.matrix.node
const peersOf = name => JSON.parse(read(`packages/${name}/package.json`)).peerDependencies
const store = read('deploy/kubernetes/shared-store/store-deployment.yaml').match(/valkey\/valkey:(\S+)/)[1]
const majorOf = name => parse(read('pnpm-workspace.yaml')).catalog[name].split('.')[0]
const testRunners = 'Test runners, [with a Dex in the tests](test-your-service.md)'
const releaseNode = JSON.parse(read('release.json')).node.replace('>=', '')
const oldest = range => range.match(/\^([\d.]+?)(?:\.0)?(?: |$)/)[1]
const [, envoyGateway] = read('.ci/run').match(/envoy-gateway@v([\d.]+)/)

for (const [part, column, value, decidedBy] of [
  ['Envoy over HTTP', 'inCi', envoy, 'find-envoy.mjs'],
  ['Envoy over gRPC', 'inCi', envoy, 'find-envoy.mjs'],
  ['Envoy over HTTP', 'inCi', compose.envoy.image.split(':v')[1], 'compose.yaml'],
  ['Dex with client credentials', 'inCi', compose.dex.image, 'compose.yaml'],
  ['Envoy Gateway', 'inCi', `${envoyGateway} with Envoy ${envoy}`, '.ci/run'],
  ['Node.js', 'inCi', nodes.join(', '), 'ci.yml'],
  ['Node.js', 'shouldWork', `from ${releaseNode} on`, 'release.json'],
  [testRunners, 'inCi', `vitest ${majorOf('vitest')}, jest ${majorOf('jest')}`, 'pnpm-workspace.yaml'],
  ['Valkey', 'shouldWork', store, 'store-deployment.yaml'],
  ['Express', 'doesNotWork', oldest(peersOf('express-adapter').express), 'peerDependencies'],
  ['undici', 'doesNotWork', oldest(peersOf('core').undici), 'peerDependencies'],
  [
    'Kubernetes',
    'shouldWork',
    read('deploy/README.md').match(/Kubernetes (1\.\d+) or newer/)[1],
    'deploy/README.md',
  ],
  ['Istio', 'shouldWork', read('docs/envoy.md').match(/Istio (1\.\d+) or newer/)[1], 'envoy.md'],
]) {
  test(`the row of ${part} has ${value}, as ${decidedBy} says`, () => {
    assert.ok(rows.has(part), [...rows.keys()].join(', '))
    assert.ok(rows.get(part)[column].includes(value), rows.get(part)[column])
  })
}

test('the recommended versions are those that CI tests', () => {
  assert.match(page, new RegExp(`^\\| Envoy \\| ${envoy.replace(/\.\d+$/, '')} \\|$`, 'm'))
  assert.match(page, new RegExp(`^\\| Node\\.js, .* \\| ${nodes.at(-1)} \\|$`, 'm'))
})

test('every version of Envoy that was tried by hand has a result', () => {
  for (const part of ['Envoy over HTTP', 'Envoy over gRPC']) {
    for (const version of rows.get(part).byHand.split(', ')) {
      assert.match(page, new RegExp(`^\\| ${version} \\| \\d+ of \\d+ \\|`, 'm'))
    }
  }
})
