import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { root } from '../workspace/workspace-packages.cjs'
import { anchorsOf } from './markdown-links.mjs'

const faults = rowsOf(sectionsOf('docs/operations.md').get('faults-and-where-they-show')).map(([fault]) => {
  const [, text = fault, anchor] = fault.match(/^\[(.+)\]\(troubleshooting\.md#(.+)\)$/) ?? []
  return { text: plain(text), anchor }
})

test('each fault in troubleshooting.md is in the runbook, under a link to its table, and no other', () => {
  const causes = [...sectionsOf('docs/troubleshooting.md')].flatMap(([anchor, text]) =>
    rowsOf(text).map(row => ({ text: plain(row.at(-2)), anchor })),
  )
  assert(causes.length > 50)
  assert.deepEqual(faults.map(line).toSorted(), causes.map(line).toSorted())
})

function line({ text, anchor }) {
  return `${anchor}: ${text}`
}

/** The sections of a page by their anchor. */
function sectionsOf(file) {
  const markdown = readFileSync(path.join(root, file), 'utf8')
  return new Map(
    markdown
      .split(/^(?=#{1,3} )/m)
      .filter(text => text.startsWith('#'))
      .map(text => [...anchorsOf(text.split('\n')[0]), text])
      .map(([anchor, text]) => [anchor, text]),
  )
}

/** The cells of each row of the tables in a text, without the heads. */
function rowsOf(markdown) {
  const lines = markdown.split('\n')
  return lines
    .filter(
      (text, index) =>
        text.startsWith('| ') && !text.startsWith('| ---') && !lines[index + 1]?.startsWith('| ---'),
    )
    .map(text => text.slice(2, -2).split(' | '))
}

function plain(text) {
  return text.replaceAll('`', '')
}
