import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { thirdPartyFaults } from './image-content.mjs'
import { noticesText, thirdPartyPackages, writeThirdParty } from './third-party.mjs'

const folder = mkdtempSync(path.join(tmpdir(), 'third-party-'))
after(() => rmSync(folder, { recursive: true }))

const withLicence = packageIn(
  'one',
  { license: 'MIT' },
  { LICENSE: 'the text\r\n', 'index.js': 'export {}\n' },
)
const withHeader = packageIn(
  'two',
  { license: 'BSD-3-Clause' },
  {
    'index.js': '// Copyright of two\n// and its terms\n\nexport {}\n',
    'esm/package.json': '{"type":"module"}',
    'esm/a.js': '',
  },
)
const ours = packageIn('@broker/core', { license: 'Apache-2.0' }, { 'index.js': '' })

test('a package is named once, with its licence file or the headers of its modules; ours is not among them', () => {
  const packages = thirdPartyPackages([
    path.join(withLicence, 'index.js'),
    path.join(withHeader, 'index.js'),
    path.join(withHeader, 'esm/a.js'),
    path.join(ours, 'index.js'),
  ])
  assert.deepEqual([...packages.keys()], ['one@1.2.3', 'two@1.2.3'])
  assert.deepEqual(packages.get('one@1.2.3').texts, ['the text'])
  assert.deepEqual(packages.get('two@1.2.3').texts, ['Copyright of two\nand its terms'])
})

test('manifests and notices are complete by the comments of the bundle', () => {
  const packages = thirdPartyPackages([path.join(withLicence, 'index.js')])
  const target = path.join(folder, 'image')
  mkdirSync(target)
  writeThirdParty(target, packages)
  const manifest = JSON.parse(readFileSync(path.join(target, 'third-party/one@1.2.3/package.json'), 'utf8'))
  assert.deepEqual(manifest, { name: 'one', version: '1.2.3', license: 'MIT' })

  const notices = readFileSync(path.join(target, 'THIRD-PARTY-NOTICES'), 'utf8')
  const manifests = ['third-party/one@1.2.3/package.json']
  const code = '// ../../node_modules/.pnpm/one@1.2.3/node_modules/one/index.js\n'
  assert.deepEqual(thirdPartyFaults(code, { manifests, notices }), [])
  const scoped = `${code}// ../../node_modules/.pnpm/@a+two@1.0.0/node_modules/@a/two/index.js\n`
  assert.deepEqual(thirdPartyFaults(scoped, { manifests, notices }), [
    '@a/two is in the bundle and has no manifest',
    '@a/two is in the bundle and has no licence in THIRD-PARTY-NOTICES',
  ])
  assert.match(thirdPartyFaults('', { manifests, notices })[0], /names no module/)
})

test('a text that several packages share is there once', () => {
  const packages = new Map(
    ['a', 'b'].map(name => [name, { id: `${name}@1.0.0`, license: 'MIT', texts: ['the text'] }]),
  )
  assert.equal(noticesText(packages), 'a@1.0.0 (MIT)\nb@1.0.0 (MIT)\n\nthe text\n')
})

test('a package without a licence, or without a text of it, is refused', () => {
  const packageOf = parts => new Map([['a', { id: 'a@1.0.0', license: 'MIT', texts: [], ...parts }]])
  assert.throws(() => noticesText(packageOf({})), /a@1\.0\.0 ships no text of its licence, MIT/)
  assert.throws(
    () => noticesText(packageOf({ license: undefined, texts: ['x'] })),
    /a@1\.0\.0 states no licence/,
  )
})

function packageIn(name, manifest, files) {
  const target = path.join(folder, 'node_modules', name)
  const all = { 'package.json': JSON.stringify({ name, version: '1.2.3', ...manifest }), ...files }
  for (const [file, content] of Object.entries(all)) {
    mkdirSync(path.dirname(path.join(target, file)), { recursive: true })
    writeFileSync(path.join(target, file), content)
  }
  return target
}
