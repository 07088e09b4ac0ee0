import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { undocumentedExports } from '../docs/undocumented-exports.mjs'

/** The names without a doc comment in a package with these files; its entry points are `dist/index.d.ts` and `dist/more.d.ts`. */
function missingIn(files) {
  const read = file => files[path.relative('/package/dist', file)] ?? ''
  const manifest = {
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './more': { types: './dist/more.d.ts', default: './dist/more.js' },
      './package.json': './package.json',
    },
  }
  return undocumentedExports('/package', manifest, read)
}

const missingInText = text => missingIn({ 'index.d.ts': text })

const found = [
  ['a function', 'export declare function open(): void;', ['open']],
  ['a constant', 'export declare const limit: number;', ['limit']],
  ['a type', 'export type Name = string;', ['Name']],
  ['an interface', 'export interface Door {\n}', ['Door']],
  ['a property', '/** A. */\nexport interface Door {\n    readonly width?: number;\n}', ['Door.width']],
  ['a method', '/** A. */\nexport interface Door {\n    open(): void;\n}', ['Door.open']],
  ['a generic method', '/** A. */\nexport interface Door {\n    open<T>(): T;\n}', ['Door.open']],
  ['a name in quotes', "/** A. */\nexport interface Door {\n    'x-y': string;\n}", ["Door.'x-y'"]],
  ['a getter', '/** A. */\nexport declare class Door {\n    get width(): number;\n}', ['Door.width']],
  [
    'a constructor',
    '/** A. */\nexport declare class Door {\n    constructor(width: number);\n}',
    ['Door.constructor'],
  ],
  [
    'a symbol',
    '/** A. */\nexport declare class Door {\n    [Symbol.dispose](): void;\n}',
    ['Door.[Symbol.dispose]'],
  ],
  [
    'a member of a type',
    '/** A. */\nexport type Door = {\n    readonly width: number;\n} | {\n    readonly height: number;\n};',
    ['Door.height', 'Door.width'],
  ],
  [
    'a later overload of a function',
    '/** A. */\nexport declare function open(): void;\nexport declare function open(wide: true): void;',
    ['open'],
  ],
]

for (const [name, text, missing] of found) {
  test(`${name} without a doc comment is found`, () => assert.deepEqual(missingInText(text), missing))
}

const passing = [
  [
    'what has one',
    '/** A. */\nexport interface Door {\n    /** In metres. */\n    readonly width: number;\n}',
  ],
  [
    'a private member',
    '/** A. */\nexport declare class Door {\n    #private;\n    private constructor();\n}',
  ],
  [
    'a member of a member',
    '/** A. */\nexport interface Door {\n    /** In metres. */\n    size(): {\n        width: number;\n    };\n}',
  ],
  ['what is not exported', 'interface Hidden {\n    width: number;\n}\nexport {};'],
  ['what another package exports', "export { door } from '@broker/other';"],
]

for (const [name, text] of passing) test(`${name} passes`, () => assert.deepEqual(missingInText(text), []))

test('names are followed through other files, under the name there', () => {
  const files = {
    'index.d.ts': "export { type Door, open as unlock } from './door.ts';",
    'door.d.ts':
      'export interface Door {\n    width: number;\n}\nexport declare function open(): void;\nexport declare function close(): void;',
  }
  assert.deepEqual(missingIn(files), ['Door', 'Door.width', 'open'])
})

test('every entry point counts, and a name counts once', () => {
  const door = 'export declare function open(): void;'
  assert.deepEqual(missingIn({ 'index.d.ts': door, 'more.d.ts': `${door}\nexport declare const more: 1;` }), [
    'more',
    'open',
  ])
})

test('a member has the comment of the interface that its class implements or extends, as editors show it', () => {
  const files = {
    'index.d.ts':
      "import type { Door } from './door.ts';\n/** A. */\nexport declare class Gate implements Door {\n    open(): void;\n    lock(): void;\n}",
    'door.d.ts':
      '/** A. */\nexport interface Door extends Base {\n}\n/** A. */\nexport interface Base {\n    /** Opens it. */\n    open(): void;\n}',
  }
  assert.deepEqual(missingIn(files), ['Gate.lock'])
})
