import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isEntryPoint } from './is-entry-point.mjs'
import { root } from './workspace-packages.cjs'

const own = fileURLToPath(import.meta.url)
const other = fileURLToPath(new URL('./is-entry-point.mjs', import.meta.url))

test('a Node.js without import.meta.main knows the script that it was started with', () => {
  const meta = { url: import.meta.url, main: undefined }
  assert.equal(isEntryPoint(meta, own), true)
  assert.equal(isEntryPoint(meta, other), false)
})

test('import.meta.main wins where it exists', () => {
  assert.equal(isEntryPoint({ url: import.meta.url, main: false }, own), false)
  assert.equal(isEntryPoint({ url: import.meta.url, main: true }, other), true)
})

test('no script asks import.meta.main itself', () => {
  const scripts = execFileSync('git', ['ls-files', 'scripts/*.mjs', 'scripts/*.cjs', 'scripts/*.ts'], {
    cwd: root,
    encoding: 'utf8',
  })
  const asking = scripts
    .trim()
    .split('\n')
    .filter(file => !file.startsWith('scripts/workspace/is-entry-point'))
    .filter(file => readFileSync(`${root}/${file}`, 'utf8').includes('import.meta.main'))
  assert.deepEqual(asking, [])
})
