// The toolchains of docs/toolchains.md: what is tried with each, and what has to come of it. Where `fails`, the reader sees
// `error` and finds `remedy`. CI tries the rows that are `quick`.

/** A program that gets a token; the transport stands for Dex. */
const programOf = imports => `${imports}
const broker = new TokenBroker({
  tokenEndpoint: 'https://dex.test/token',
  client: { clientId: 'reports', clientSecret: 'any' },
  transport: async () => Response.json({ access_token: 'the-token', token_type: 'bearer', expires_in: 600 }),
})
broker.getToken().then(token => console.log(token.headers, hintText({ problem: 'not_dex', option: 'issuer' })))
`
const esm = programOf(
  `import { TokenBroker } from '@broker/core'\nimport { hintText } from '@broker/core/options'`,
)
/** Types that TypeScript 5.4 accepts too. Its `Response` does not fit a transport: a separate row shows that. */
const typed = `import { type IssuedToken, TokenBroker } from '@broker/core'
import { hintText } from '@broker/core/options'
export const broker = new TokenBroker({ issuer: 'https://dex.test' })
export const token: Promise<IssuedToken> = broker.getToken({ audiences: ['orders'] })
export const text: string = hintText({ problem: 'not_dex', option: 'issuer' })
`
const commonjs = programOf(
  `const { TokenBroker } = require('@broker/core')\nconst { hintText } = require('@broker/core/options')`,
)
const printed = /Bearer the-token/

/** A test of a runner that has `test` and `expect`. */
const testOf = imports => `${imports}
test('a token', async () => {
  const broker = new TokenBroker({
    tokenEndpoint: 'https://dex.test/token',
    client: { clientId: 'reports', clientSecret: 'any' },
    transport: async () => Response.json({ access_token: 'the-token', token_type: 'bearer', expires_in: 600 }),
  })
  expect((await broker.getToken()).accessToken).toBe('the-token')
})
`
const esmTest = testOf(`import { TokenBroker } from '@broker/core'`)
const commonjsTest = testOf(`const { TokenBroker } = require('@broker/core')`)
const passed = /1 passed/

const nodes = {
  'Node.js 26': { command: process.execPath, quick: true },
  'Node.js 24': {
    package: 'node24',
    version: `npm:node-${process.platform}-${process.arch}@24`,
    command: 'node_modules/node24/bin/node',
  },
  'Node.js 22': {
    package: 'node22',
    version: `npm:node-${process.platform}-${process.arch}@22`,
    command: 'node_modules/node22/bin/node',
  },
}
const bun = `@oven/bun-${process.platform}-${process.arch}`
const typescripts = {
  'TypeScript 7': {
    package: 'typescript7',
    version: 'npm:typescript@7',
    command: 'node_modules/typescript7/bin/tsc',
    quick: true,
  },
  'TypeScript 5.9': {
    package: 'typescript59',
    version: 'npm:typescript@5.9',
    command: 'node_modules/typescript59/bin/tsc',
    quick: true,
  },
  'TypeScript 5.4': {
    package: 'typescript54',
    version: 'npm:typescript@5.4',
    command: 'node_modules/typescript54/bin/tsc',
  },
}

/** ESM in a file of the first extension, and what a CommonJS file says in the second; `fails` by version. */
const moduleSettings = [
  { module: 'nodenext', resolution: 'nodenext', extension: 'mts' },
  {
    module: 'nodenext',
    resolution: 'nodenext',
    extension: 'cts',
    fails: { 'TypeScript 5.4': /TS1479/ },
    remedy: "TypeScript 5.9 or newer, or `await import('@broker/core')`",
  },
  { module: 'node16', resolution: 'node16', extension: 'mts' },
  {
    module: 'node16',
    resolution: 'node16',
    extension: 'cts',
    fails: { 'TypeScript 7': /TS1479/, 'TypeScript 5.9': /TS1479/, 'TypeScript 5.4': /TS1479/ },
    remedy: "`module: nodenext` with TypeScript 5.9 or newer, or `await import('@broker/core')`",
  },
  { module: 'esnext', resolution: 'bundler', extension: 'ts' },
  {
    module: 'commonjs',
    resolution: 'node10',
    extension: 'ts',
    fails: { 'TypeScript 7': /TS5108/ },
    remedy: '`bundler` or `nodenext`: TypeScript 7 has no node10',
  },
]

export const toolchains = [
  ...Object.entries(nodes).flatMap(([name, { package: packageName, version, command, quick = false }]) => [
    {
      name,
      setting: '`import`',
      quick,
      dependencies: dependency(packageName, version),
      files: { 'run.mjs': esm },
      command: [command, 'run.mjs'],
      prints: printed,
    },
    {
      name,
      setting: '`require`',
      quick,
      dependencies: dependency(packageName, version),
      files: { 'run.cjs': commonjs },
      command: [command, 'run.cjs'],
      prints: printed,
    },
  ]),
  {
    name: 'Bun 1',
    setting: '`import`',
    quick: false,
    dependencies: { [bun]: '1' },
    files: { 'run.mjs': esm },
    command: [`node_modules/${bun}/bin/bun`, 'run.mjs'],
    prints: printed,
  },
  ...Object.entries(typescripts).flatMap(
    ([name, { package: packageName, version, command, quick = false }]) =>
      moduleSettings.map(({ module, resolution, extension, fails, remedy }) => ({
        name,
        setting: `\`module: ${module}\`, \`moduleResolution: ${resolution}\`, ${module === 'commonjs' || extension === 'cts' ? 'CommonJS' : 'ES module'}`,
        quick,
        dependencies: { ...dependency(packageName, version), '@types/node': '22' },
        files: {
          [`run.${extension}`]: typed,
          'tsconfig.json': tsconfig(module, resolution, `run.${extension}`),
        },
        command: [process.execPath, command, '-p', '.'],
        ...(fails?.[name] ? { fails: fails[name], error: fails[name].source, remedy } : { prints: /^\s*$/ }),
      })),
  ),
  {
    name: 'TypeScript 5.9',
    setting: 'a `transport` that returns a `Response`',
    quick: true,
    dependencies: {
      ...dependency('typescript59', typescripts['TypeScript 5.9'].version),
      '@types/node': '22',
    },
    files: { 'run.mts': esm, 'tsconfig.json': tsconfig('nodenext', 'nodenext', 'run.mts') },
    command: [process.execPath, typescripts['TypeScript 5.9'].command, '-p', '.'],
    prints: /^\s*$/,
  },
  {
    name: 'TypeScript 5.4',
    setting: 'a `transport` that returns a `Response`',
    quick: false,
    dependencies: {
      ...dependency('typescript54', typescripts['TypeScript 5.4'].version),
      '@types/node': '22',
    },
    files: { 'run.mts': esm, 'tsconfig.json': tsconfig('nodenext', 'nodenext', 'run.mts') },
    command: [process.execPath, typescripts['TypeScript 5.4'].command, '-p', '.'],
    fails: /TS2322/,
    error: 'TS2322',
    remedy: 'a newer TypeScript, such as 5.9',
  },
  ...['esm', 'cjs'].map(format => ({
    name: 'esbuild',
    setting: `\`--platform=node --format=${format}\``,
    quick: true,
    dependencies: { esbuild: '0.28.2' },
    files: { 'run.mjs': esm },
    command: [
      'node_modules/esbuild/bin/esbuild',
      'run.mjs',
      '--bundle',
      '--platform=node',
      `--format=${format}`,
      `--outfile=out.${format === 'esm' ? 'mjs' : 'cjs'}`,
    ],
    afterwards: [process.execPath, `out.${format === 'esm' ? 'mjs' : 'cjs'}`],
    prints: printed,
  })),
  {
    name: 'webpack 5',
    setting: '`target: node`',
    quick: false,
    dependencies: { webpack: '5' },
    files: {
      'run.mjs': esm,
      'bundle.cjs': `require('webpack')({ target: 'node', mode: 'production', context: __dirname, entry: './run.mjs', output: { path: __dirname, filename: 'out.cjs' } }, (error, stats) => { if (error || stats.hasErrors()) throw error ?? new Error(stats.toString()) })`,
    },
    command: [process.execPath, 'bundle.cjs'],
    afterwards: [process.execPath, 'out.cjs'],
    prints: printed,
  },
  {
    name: 'vitest',
    setting: 'as installed',
    quick: true,
    dependencies: {},
    files: {
      'token.test.mjs': `import { expect, test } from 'vitest'\n${esmTest}`,
      'vitest.config.mjs': 'export default {}',
    },
    command: ['vitest', 'run', 'token.test.mjs'],
    prints: /1 passed/,
  },
  {
    name: 'jest 30',
    setting: 'as installed, `require`',
    quick: false,
    dependencies: { jest: '30' },
    files: { 'token.test.js': commonjsTest, 'jest.config.json': {} },
    command: [process.execPath, 'node_modules/jest/bin/jest.js', 'token.test.js'],
    fails: /Must use import to load ES Module/,
    error: 'Must use import to load ES Module',
    remedy: 'one of the next rows',
  },
  {
    name: 'jest 30',
    setting: '`NODE_OPTIONS=--experimental-vm-modules`, `require`, Node.js 24.9 or newer',
    quick: false,
    dependencies: { jest: '30' },
    files: { 'token.test.js': commonjsTest, 'jest.config.json': {} },
    command: [
      process.execPath,
      '--experimental-vm-modules',
      'node_modules/jest/bin/jest.js',
      'token.test.js',
    ],
    prints: passed,
  },
  {
    name: 'jest 30',
    setting: "`NODE_OPTIONS=--experimental-vm-modules`, tests in `.mjs`, `testMatch: ['**/*.test.mjs']`",
    quick: false,
    dependencies: { jest: '30' },
    files: { 'token.test.mjs': esmTest, 'jest.config.json': { testMatch: ['**/*.test.mjs'], transform: {} } },
    command: [process.execPath, '--experimental-vm-modules', 'node_modules/jest/bin/jest.js'],
    prints: passed,
  },
  {
    name: 'jest 30 with ts-jest',
    setting:
      "`transform: { '^.+\\\\.[jt]s$': 'ts-jest' }`, `transformIgnorePatterns: ['node_modules/(?!(@broker|jose|lru-cache)/)']`, `allowJs` in tsconfig",
    quick: false,
    dependencies: { jest: '30', 'ts-jest': '29', typescript: '5.9' },
    files: {
      'token.test.ts': `declare const test: any, expect: any\n${esmTest}`,
      'jest.config.json': {
        transform: {
          '^.+\\.[jt]s$': [
            'ts-jest',
            {
              diagnostics: false,
              tsconfig: { allowJs: true, module: 'commonjs', target: 'es2022', moduleResolution: 'node10' },
            },
          ],
        },
        transformIgnorePatterns: ['node_modules/(?!(@broker|jose|lru-cache)/)'],
      },
    },
    command: [process.execPath, 'node_modules/jest/bin/jest.js', 'token.test.ts'],
    prints: passed,
  },
]

/** Toolchains that were not tried. */
export const untried = [
  'Deno',
  'Rollup',
  'Parcel',
  'swc and Babel for jest',
  'Yarn Plug and Play',
  'edge runtimes (Cloudflare Workers, Vercel Edge)',
]

function dependency(name, version) {
  return name === undefined ? {} : { [name]: version }
}

function tsconfig(module, moduleResolution, file) {
  const compilerOptions = {
    target: 'es2022',
    module,
    moduleResolution,
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  }
  return { compilerOptions, files: [file] }
}
