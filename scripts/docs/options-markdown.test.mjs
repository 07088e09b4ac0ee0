import assert from 'node:assert/strict'
import { test } from 'node:test'
import { declarationDoc, interfaceMembers } from './interface-members.mjs'
import { optionRow } from './options-markdown.mjs'

const source = [
  '/** All of them. */',
  'export interface Options {',
  '  /** How long, in milliseconds. Default 5,000. */',
  '  readonly waitMs?: number | undefined',
  '  /**',
  '   * Seen in {@link Broker},',
  '   * twice.',
  '   */',
  "  readonly mode?: 'a' | 'b' | undefined",
  '  readonly bare: string',
  '}',
].join('\n')

test('the members of an interface have their type without undefined, and their doc comment as one line', () => {
  assert.deepEqual(interfaceMembers(source, 'Options'), [
    { name: 'waitMs', type: 'number', doc: 'How long, in milliseconds. Default 5,000.' },
    { name: 'mode', type: "'a' | 'b'", doc: 'Seen in `Broker`, twice.' },
    { name: 'bare', type: 'string', doc: '' },
  ])
  assert.equal(declarationDoc(source, 'Options'), 'All of them.')
  assert.equal(declarationDoc(source, 'Gone'), '')
  assert.throws(() => interfaceMembers(source, 'Gone'), /no exported interface Gone/)
})

test('the default and the limits of an option come from its rule, and its sentence is not repeated', () => {
  const [waitMs] = interfaceMembers(source, 'Options')
  assert.equal(
    optionRow(waitMs, { unit: 'ms', default: 7_000, min: 1, max: 9_000 }),
    '| `waitMs` | `number` | 7,000 | 1 to 9,000 | How long, in milliseconds. Default 5,000. |',
  )
  assert.equal(
    optionRow(waitMs, { unit: 'ms', default: 5_000, min: 1, max: 9_000 }),
    '| `waitMs` | `number` | 5,000 | 1 to 9,000 | How long, in milliseconds. |',
  )
})

test('the default of an option without a rule is what its doc comment says', () => {
  const row = doc => optionRow({ name: 'x', type: 'A | B', doc })
  assert.equal(
    row('Default: the `fetch` of v1.2. More.'),
    '| `x` | `A \\| B` | the `fetch` of v1.2 |  | More. |',
  )
  const secret = { name: 'secret', type: 'string', doc: 'At most 4,096 characters, any.' }
  assert.match(
    optionRow(secret, { maxLength: 4_096 }),
    /\|\s+\| at most 4,096 characters \| At most 4,096 characters, any\. \|/,
  )
  assert.match(
    optionRow({ ...secret, doc: 'At most 9 characters.' }, { maxLength: 9 }, 'Its type.'),
    /\| Its type\. \|$/,
  )
  assert.equal(row('Nothing said.'), '| `x` | `A \\| B` |  |  | Nothing said. |')
})
