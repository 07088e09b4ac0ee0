// Counts the files and modules that `import '@broker/core'` loads, which do not depend on how busy the machine is. Needs a build.
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { root } from '../workspace/workspace-packages.cjs'
import { staticImports } from './static-imports.mjs'

const dist = path.join(root, 'packages/core/dist')
/** A fifth above what it was when this was written. A new module or package needs a reason: docs/decisions/0071-bundled-core.md. */
const maxBytes = 540_000
const neededModules = [
  'lru-cache',
  'node:async_hooks',
  'node:buffer',
  'node:crypto',
  'node:net',
  'node:timers/promises',
]

test('importing core loads two files, and only the modules that every use needs', () => {
  const { files, bytes, modules } = staticImports(path.join(dist, 'index.js'))
  assert.deepEqual(
    files.map(file => path.relative(dist, file)),
    ['index.js', 'shared.js'],
  )
  assert.deepEqual(modules, neededModules)
  assert.ok(bytes <= maxBytes, `${bytes} bytes, more than ${maxBytes}`)
})

test('an entry beside the main one loads its own file and the shared one', () => {
  for (const entry of ['diagnosis', 'kubernetes', 'opentelemetry', 'options', 'undici']) {
    const { files } = staticImports(path.join(dist, entry, 'index.js'))
    assert.deepEqual(
      files.map(file => path.relative(dist, file)),
      [path.join(entry, 'index.js'), 'shared.js'],
    )
  }
})
