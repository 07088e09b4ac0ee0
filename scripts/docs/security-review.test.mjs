import assert from 'node:assert/strict'
import { test } from 'node:test'
import { root } from '../workspace/workspace-packages.cjs'
import { inUnit, securityReviewFaults, securityReviewMarkdown } from './security-review-markdown.mjs'

const good = {
  input: 'a JWT',
  bound: '{size}',
  beyond: '401',
  values: { size: { file: 'packages/core/src/gate/jwt/jwt.ts', name: 'maxJwtLength', unit: 'bytes' } },
  test: {
    file: 'packages/core/test/gate/accepting-jwts.test.ts',
    title: '16 KiB are accepted, one character more is refused unread',
  },
  fuzz: 'jwt',
}
const dependencies = { '@broker/core': { jose: 'keys', 'lru-cache': 'caches' } }
const context = {
  root,
  optionRules: { realm: { maxLength: 128 } },
  fuzzTargets: ['jwt'],
  manifests: [
    {
      name: '@broker/core',
      dependencies: { jose: '1', '@broker/testing': '1' },
      optionalDependencies: { 'lru-cache': '1' },
    },
  ],
}
const faultsOf = (row, changes = {}) =>
  securityReviewFaults({ boundaries: [{ rows: [{ ...good, ...row }] }], dependencies, ...changes }, context)

test('a row whose references are in the code has no fault, and shows the number of the code', () => {
  assert.deepEqual(faultsOf({}), [])
  const page = securityReviewMarkdown(
    { boundaries: [{ title: 'T', text: 'x', rows: [good] }], dependencies },
    context,
  )
  assert.match(page, /\| a JWT \| 16 KiB \| 401 \| \[accepting-jwts\]/)
  assert.match(page, /\| `jose` \| keys \| MIT \|/)
})

for (const [name, row, fault] of [
  ['a test that is not in its file', { test: { ...good.test, title: 'nothing' } }, /has no test "nothing"/],
  ['a file that is not there', { test: { ...good.test, file: 'x.test.ts' } }, /x\.test\.ts does not exist/],
  [
    'a constant that is not there',
    { values: { size: { ...good.values.size, name: 'minJwtLength' } } },
    /no value for \{size\}/,
  ],
  [
    'an option that is not there',
    { values: { size: { option: 'realm', key: 'max', unit: 'count' } } },
    /no value for \{size\}/,
  ],
  ['a number that is not shown', { bound: 'some' }, /\{size\} is not in the bound/],
  ['a number without a source', { bound: '{size}, {other}' }, /no value for \{other\}/],
  ['a fuzz target that is not there', { fuzz: 'nothing' }, /there is no fuzz target nothing/],
  [
    'a fuzz target that no row has',
    { fuzz: undefined },
    /no input of the security review has the fuzz target jwt/,
  ],
]) {
  test(`${name} is a fault`, () => assert.match(faultsOf(row).join('\n'), fault))
}

test('a dependency without a reason, and a reason without a dependency, are faults', () => {
  assert.deepEqual(faultsOf({}, { dependencies: { '@broker/core': { jose: 'keys', undici: 'HTTP' } } }), [
    'security review: @broker/core has no reason for lru-cache',
    'security review: @broker/core does not need undici',
  ])
})

test('numbers have the largest unit that divides them', () => {
  assert.deepEqual(
    [inUnit(65_536, 'bytes'), inUnit(1_500, 'bytes'), inUnit(90_000, 'ms'), inUnit(50_000, 'count')],
    ['64 KiB', '1,500 bytes', '90 s', '50,000'],
  )
})
