import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import path from 'node:path'
import { test } from 'node:test'
import { root } from '../workspace/workspace-packages.cjs'
import { missingModules } from './bundle-server.mjs'
import { sizeFaults } from './image-size.mjs'
import { belongsIntoImage } from './image-tree.mjs'
import { requiredBuiltins } from './required-builtins.mjs'

test('the bundle, our licence and manifest, and the manifests of bundled packages are in the image, and nothing else', () => {
  const needed = [
    'dist/command.js',
    'dist/shared-8bRzjA_j.js',
    'package.json',
    'LICENSE',
    'THIRD-PARTY-NOTICES',
    'third-party/zod@4.6.7/package.json',
    'third-party/@hono/node-server@2.1.8/package.json',
  ]
  const others = [
    'dist/command.js.map',
    'dist/index.d.ts',
    'pnpm-lock.yaml',
    'node_modules/zod/package.json',
    'third-party/zod@4.6.7/index.js',
    '.env',
  ]
  assert.deepEqual(
    needed.filter(file => !belongsIntoImage(file)),
    [],
  )
  assert.deepEqual(others.filter(belongsIntoImage), [])
})

test('a module that would be looked for at run time is reported', () => {
  const output = [
    {
      fileName: 'command.js',
      code: '__require("node:fs"); __require("bufferutil")',
      imports: ['util', 'cli.js'],
    },
    { fileName: 'cli.js', code: '', imports: ['pino'], dynamicImports: ['command.js', '@opentelemetry/api'] },
    { fileName: 'note.txt' },
  ]
  assert.deepEqual(missingModules(output), [
    'command.js imports bufferutil',
    'cli.js imports pino',
    'cli.js imports @opentelemetry/api',
  ])
})

test('a module of Node.js is read export by export, and the unused ones not at all', async () => {
  const { rolldown } = await import(
    createRequire(path.join(root, 'packages/server/package.json')).resolve('rolldown')
  )
  const entry =
    "import http, { STATUS_CODES, createServer } from 'node:http'; console.log(http.METHODS, STATUS_CODES, createServer)"
  await using build = await rolldown({
    input: 'entry',
    platform: 'node',
    plugins: [
      {
        resolveId: id => (id === 'entry' ? id : undefined),
        load: id => (id === 'entry' ? entry : undefined),
      },
      requiredBuiltins(),
    ],
  })
  const [{ code }] = (await build.generate()).output
  assert.doesNotMatch(code, /from ['"]node:http/)
  assert.deepEqual([...code.matchAll(/read\("(\w+)"\)/g)].map(([, name]) => name).sort(), [
    'STATUS_CODES',
    'createServer',
  ])
})

test('files that have grown by more than a fifth are reported', () => {
  const before = { files: 10, bytes: 1_000, compressedBytes: 100 }
  assert.deepEqual(sizeFaults({ files: 12, bytes: 1_200, compressedBytes: 20 }, before), [])
  const grown = sizeFaults({ files: 13, bytes: 1_201, compressedBytes: 121 }, before)
  assert.deepEqual(
    grown.map(fault => fault.split(':')[0]),
    ['files', 'bytes', 'compressedBytes'],
  )
})
