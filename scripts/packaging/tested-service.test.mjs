// The page promises a whole project in few lines: what the proof builds is what the page shows.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { root } from '../workspace/workspace-packages.cjs'
import { mostLines, shown, shownLines } from './tested-service.mjs'

const page = readFileSync(path.join(root, 'docs', 'test-your-service.md'), 'utf8')

test('the project of the page has fewer lines than the page promises', async () => {
  assert.ok((await shownLines()) < mostLines)
  assert.match(page, new RegExp(`in under ${mostLines} lines`))
})

test('the page shows every file of its project, whole and by the name under which the proof saves it', () => {
  for (const file of shown) {
    assert.ok(page.includes(`<!-- snippet: examples/testing/service/${file} -->`), file)
    assert.ok(page.includes(`\`${file}\``), file)
  }
})
