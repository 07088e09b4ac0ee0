import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { brokenLinks } from './markdown-links.mjs'
import { fillSnippets } from './markdown-snippets.mjs'

function folderWith(context, files) {
  const folder = mkdtempSync(path.join(tmpdir(), 'markdown-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, file), text)
  return folder
}

test('a snippet is the region of its file, moved to the margin', context => {
  const root = folderWith(context, {
    'run.ts': 'start(() => {\n  // #region call\n  if (ready) {\n    call()\n  }\n  // #endregion call\n})\n',
  })
  const before = 'Do:\n<!-- snippet: run.ts#call -->\nwhatever\nstood here\n<!-- /snippet -->\nDone.\n'
  const after =
    'Do:\n<!-- snippet: run.ts#call -->\n```ts\nif (ready) {\n  call()\n}\n```\n<!-- /snippet -->\nDone.\n'
  assert.deepEqual(fillSnippets(before, root), { text: after, faults: [] })
  assert.deepEqual(fillSnippets(after, root), { text: after, faults: [] })
})

test('a snippet without a region is the whole file, without the markers of its regions', context => {
  const root = folderWith(context, { 'a.yaml': '# One.\na:\n  # #region b\n  b: 1\n  # #endregion b\n' })
  const after = '<!-- snippet: a.yaml -->\n```yaml\n# One.\na:\n  b: 1\n```\n<!-- /snippet -->\n'
  assert.deepEqual(fillSnippets('<!-- snippet: a.yaml -->\n<!-- /snippet -->\n', root), {
    text: after,
    faults: [],
  })
})

test('a snippet without its file, its region or its end is a fault, and the text stays', context => {
  const root = folderWith(context, { 'run.ts': '// #region open\n' })
  for (const [reference, fault] of [
    ['gone.ts#call', /no such file/],
    ['run.ts#call', /run\.ts has no region call/],
    ['run.ts#open', /region open of run\.ts has no end/],
  ]) {
    const markdown = `<!-- snippet: ${reference} -->\nkept\n<!-- /snippet -->\n`
    const { text, faults } = fillSnippets(markdown, root)
    assert.equal(text, markdown)
    assert.match(faults.join(), fault)
  }
  assert.match(
    fillSnippets('<!-- snippet: run.ts#open -->\n', root).faults.join(),
    /has no <!-- \/snippet -->/,
  )
})

test('links to files and headings that exist are in order', context => {
  const root = folderWith(context, {
    'a.md': [
      '# One\n## `Two` & [three](b.md)\n## One\n<a id="own"></a>',
      '[x](b.md) [`y`](b.md#the-rule_a "title") [z](#one-1) [w](#two--three) [v](#own) [u](https://example.com/#no)',
      '[ref]: b.md#the-rule_a\n`[code](gone.md)`\n```md\n[fenced](gone.md)\n```',
    ].join('\n'),
    'b.md': '# The rule_a\n',
  })
  assert.deepEqual(brokenLinks('a.md', root), [])
})

test('links that lead nowhere are named with their line', context => {
  const root = folderWith(context, {
    'a.md': '# One\n\n[x](gone.md)\n[y](b.md#two) [z](#two)\n![i](gone.png)\n[r]: gone.md\n[o](../a.md)\n',
    'b.md': '# One\n',
  })
  assert.deepEqual(brokenLinks('a.md', root), [
    'a.md:3: gone.md does not exist',
    'a.md:4: b.md#two has no such heading',
    'a.md:4: #two has no such heading',
    'a.md:5: gone.png does not exist',
    'a.md:6: gone.md does not exist',
    'a.md:7: ../a.md leads out of the repository',
  ])
})
