// Spoils an unpacked tarball one way at a time and sees it reported.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { manifestFields } from '../release/release-facts.mjs'
import { tarballFaults } from './tarball-faults.mjs'

const folder = 'packages/core'
const facts = {
  ...{ owner: 'acme', repository: 'example', scope: '@acme', license: 'Apache-2.0', node: '>=22' },
  keywords: { core: ['one'] },
}
const manifest = {
  ...{ name: '@acme/core', version: '1.0.0', main: './dist/index.js' },
  ...manifestFields(folder, facts),
  bin: { acme: './dist/command.js' },
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
}
const map = JSON.stringify({ sources: ['../src/index.ts'], sourcesContent: ['export {}'] })
const files = {
  'package.json': manifest,
  'README.md': 'core',
  LICENSE: 'Apache-2.0',
  'dist/index.js': 'export {}',
  'dist/index.js.map': map,
  'dist/index.d.ts': 'export {}',
  'dist/command.js': '#!/usr/bin/env node\n',
}

test('a tarball that is in order has no faults', context => {
  assert.deepEqual(faultsWith(context, {}), [])
})

const withManifest = changes => ({ 'package.json': { ...manifest, ...changes } })
for (const [what, changes, reported] of [
  ['no README.md', { 'README.md': undefined }, /^README\.md is missing$/],
  ['no LICENSE', { LICENSE: undefined }, /^LICENSE is missing$/],
  ['a file that nobody needs', { 'tsconfig.json': '{}' }, /^tsconfig\.json does not belong/],
  ['a test', { 'dist/index.test.js': '' }, /^dist\/index\.test\.js is a test$/],
  ['a folder of tests', { 'dist/test/one.js': '' }, /^dist\/test\/one\.js is a test$/],
  ['output without a source', { 'dist/gone.js': '' }, /no longer has a source/],
  [
    'a map without its source',
    { 'dist/index.js.map': map.replace('"export {}"', 'null') },
    /points to src\/index\.ts/,
  ],
  ['another name', withManifest({ name: '@acme/another' }), /names @acme\/another/],
  ['a name that npm refuses', withManifest({ name: 'Acme' }), /not a name with a scope/],
  ['no version', withManifest({ version: '1.0' }), /1\.0 is not a version/],
  ['private', withManifest({ private: true }), /says private/],
  [
    'a workspace range',
    withManifest({ dependencies: { a: 'workspace:^' } }),
    /dependencies: a is still "workspace/,
  ],
  [
    'a catalog range',
    withManifest({ optionalDependencies: { a: 'catalog:' } }),
    /optionalDependencies: a is still "catalog:/,
  ],
  ['no repository', withManifest({ repository: undefined }), /no repository: npm refuses it with E422/],
  ['no access', withManifest({ publishConfig: undefined }), /no publishConfig: npm publishes.*restricted/],
  ['an entry that is not there', withManifest({ main: './dist/main.js' }), /points to dist\/main\.js/],
  [
    'an export that is not there',
    withManifest({ exports: { './x': { types: './dist/x.d.ts' } } }),
    /points to dist\/x\.d\.ts/,
  ],
  [
    'a command that is not there',
    withManifest({ bin: { acme: './dist/gone.js' } }),
    /acme is \.\/dist\/gone\.js/,
  ],
  ['a command without a shebang', { 'dist/command.js': 'run()' }, /does not begin with #!/],
]) {
  test(`a tarball with ${what} is reported`, context => {
    const faults = faultsWith(context, changes)
    assert.ok(
      faults.some(fault => reported.test(fault)),
      faults.join('\n') || 'nothing reported',
    )
  })
}

test('a command that is not executable is reported', { skip: process.platform === 'win32' }, context => {
  assert.deepEqual(faultsWith(context, {}, { mode: 0o644 }), ['./dist/command.js is not executable'])
})

test('a package that is not built before it is packed is reported', context => {
  assert.deepEqual(faultsWith(context, {}, { scripts: {} }), ['prepack does not build it'])
})

test('a bundled package may have chunks that an entry imports, and no other files', context => {
  const changes = {
    'dist/index.js': 'import { one } from "./shared.js"\nexport { one }',
    'dist/shared.js': 'export const one = 1',
    'dist/command.js': undefined,
    'dist/one.js': '#!/usr/bin/env node\n',
    ...withManifest({ bin: undefined }),
  }
  const sources = { 'rolldown.config.js': '', 'src/one.ts': '' }
  assert.deepEqual(
    faultsWith(context, changes, { sources }).filter(fault => /bundle|source/.test(fault)),
    ["dist/one.js is in no entry's bundle: delete packages/core/dist and build again"],
  )
})

function faultsWith(
  context,
  changes,
  { mode = 0o755, scripts = { prepack: 'tsc -p tsconfig.build.json' }, sources = {} } = {},
) {
  const root = mkdtempSync(path.join(realpathSync(tmpdir()), 'tarball-'))
  context.after(() => rmSync(root, { recursive: true, force: true }))
  const contents = path.join(root, 'unpacked')
  const write = (name, content) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
    writeFileSync(path.join(root, name), text)
  }
  write(`${folder}/package.json`, { ...manifest, scripts })
  for (const name of ['index', 'command', 'index.test', 'test/one']) write(`${folder}/src/${name}.ts`, '')
  for (const [name, content] of Object.entries(sources)) write(`${folder}/${name}`, content)
  for (const [name, content] of Object.entries({ ...files, ...changes })) {
    if (content !== undefined) write(`unpacked/${name}`, content)
  }
  if ({ ...files, ...changes }['dist/command.js'] !== undefined)
    chmodSync(path.join(contents, 'dist/command.js'), mode)
  return tarballFaults(contents, { root, folder, facts })
}
