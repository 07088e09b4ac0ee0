// Plants one violation of every rule that biome.json sets for the architecture and sees it reported: a pattern that no
// longer matches anything looks exactly like a clean tree.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { root } from '../workspace/workspace-packages.cjs'

const biome = path.join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
const dependencyRule = 'see ARCHITECTURE.md, The dependency rule'

const deepImports = {
  '@broker/core/dist/errors.js': 'by its name',
  '../../core/src/errors.ts': 'by its name',
  '../../server/dist/index.js': 'by its name',
}
const environment = { 'node:process': `Only the server's cli.ts reads the environment` }
const outsideCore = {
  ...deepImports,
  ...environment,
  '@broker/server': 'The core imports no other package',
  '@broker/express-adapter': 'The core imports no other package',
  '@broker/dev-dex': 'The core imports no other package',
  '@broker/testing': 'The core imports no other package',
  '@broker/testing/vitest': 'The core imports no other package',
  '@broker/core/options': 'The core imports no other package',
  express: 'The core knows no web framework',
  'hono/tiny': 'The core knows no web framework',
  '@hono/node-server': 'The core knows no web framework',
}
const openTelemetry = { '@opentelemetry/api': 'OpenTelemetry is an optional peer' }
const undici = { undici: 'undici is an optional peer' }
const intoServer = {
  ...deepImports,
  '@broker/testing': 'never imports what the suites share',
  '@broker/testing/vitest': 'never imports what the suites share',
  '@broker/express-adapter': 'The server imports the core',
  '@broker/dev-dex': 'never imports the Dex look-alike',
}

/** Which imports each place refuses, and what the refusal says. */
const refusedImports = {
  'packages/core/src/token-broker.ts': { ...outsideCore, ...undici, ...openTelemetry },
  'packages/core/src/shared/http/transport.ts': {
    ...outsideCore,
    ...undici,
    '../../options/limits.ts': 'The shared room imports no other room',
    '../../tokens/tokens.ts': 'The shared room imports no other room',
    '../../token-broker.ts': 'The shared room imports no other room',
  },
  'packages/core/src/clients/client.ts': {
    ...outsideCore,
    ...undici,
    '../tokens/tokens.ts': 'The clients room knows nothing',
    '../gate/gate.ts': 'The clients room knows nothing',
    '../check/check.ts': 'The clients room knows nothing',
  },
  'packages/core/src/kubernetes/kubernetes-issuer.ts': {
    ...outsideCore,
    ...undici,
    '../gate/gate.ts': 'The kubernetes room makes options',
    '../token-broker.ts': 'The kubernetes room makes options',
  },
  'packages/core/src/issuer/issuer.ts': {
    ...outsideCore,
    ...undici,
    '../check/check.ts': 'The issuer room joins tokens and gate',
    '../outbound/create-fetch.ts': 'The issuer room joins tokens and gate',
  },
  'packages/core/src/tokens/cache/token-cache.ts': {
    ...outsideCore,
    ...undici,
    '../gate/jwt.ts': 'The tokens room knows nothing',
    '../check/check.ts': 'The tokens room knows nothing',
    '../outbound/create-fetch.ts': 'The tokens room knows nothing',
    '../token-broker.ts': 'The tokens room knows nothing',
    '../issuer/issuer.ts': 'The tokens room knows nothing',
  },
  'packages/core/src/gate/keys/key-set.ts': {
    ...outsideCore,
    ...undici,
    '../../tokens/cache/token-cache.ts': 'The gate room knows nothing',
    '../../check/check.ts': 'The gate room knows nothing',
    '../../outbound/create-fetch.ts': 'The gate room knows nothing',
    '../../token-broker.ts': 'The gate room knows nothing',
    '../../clients/client.ts': 'The gate room knows nothing',
  },
  'packages/core/src/check/check.ts': {
    ...outsideCore,
    ...undici,
    '../outbound/create-fetch.ts': 'The check room imports gate, clients and tokens only',
    '../token-broker.ts': 'The check room imports gate, clients and tokens only',
  },
  'packages/core/src/outbound/create-fetch.ts': {
    ...outsideCore,
    ...undici,
    '../check/check.ts': 'nothing of the check',
    '../token-broker.ts': 'nothing of the check',
  },
  'packages/core/src/outbound/undici-interceptor.ts': {
    ...outsideCore,
    '../check/check.ts': 'nothing of the check',
    '../token-broker.ts': 'nothing of the check',
  },
  'packages/core/src/opentelemetry/index.ts': {
    ...outsideCore,
    ...undici,
    '../check/check.ts': 'knows nothing of the engine',
    '../tokens/tokens.ts': 'knows nothing of the engine',
    '../token-broker.ts': 'knows nothing of the engine',
  },
  'packages/core/src/undici/index.ts': {
    ...outsideCore,
    ...openTelemetry,
    '../check/check.ts': 'nothing of the check',
    '../token-broker.ts': 'nothing of the check',
  },
  'packages/server/src/app.ts': { ...intoServer, ...environment },
  'packages/server/src/cli.ts': intoServer,
  'packages/express-adapter/src/index.ts': {
    ...deepImports,
    ...environment,
    '@broker/server': 'The Express adapter imports the core',
    '@broker/testing': 'never imports what the suites share',
    '@broker/testing/vitest': 'never imports what the suites share',
    '@broker/dev-dex': 'never imports the Dex look-alike',
  },
  'packages/redis-store/src/index.ts': {
    ...deepImports,
    ...environment,
    '@broker/server': 'The store imports the core',
    '@broker/express-adapter': 'The store imports the core',
    '@broker/testing': 'never imports what the suites share',
    '@broker/dev-dex': 'never imports the Dex look-alike',
  },
  'packages/dev-dex/src/index.ts': {
    ...deepImports,
    '@broker/core': 'The Dex look-alike imports none',
    '@broker/core/options': 'The Dex look-alike imports none',
    '@broker/testing': 'The Dex look-alike imports none',
  },
  'packages/testing/src/index.ts': {
    ...deepImports,
    '@broker/core': '@broker/testing imports no other package',
    '@broker/core/options': '@broker/testing imports no other package',
    '@broker/server': '@broker/testing imports no other package',
    '@broker/dev-dex': '@broker/testing imports no other package',
  },
  'packages/server/test/app.test.ts': deepImports,
  'examples/quickstart/src/quickstart.ts': deepImports,
}

for (const [file, refusals] of Object.entries(refusedImports)) {
  test(`${file} is refused what the dependency rule forbids it`, async () => {
    const targets = Object.keys(refusals)
    const found = await lint({ [file]: targets.map(target => `export { env } from '${target}'`).join('\n') })
    assert.deepEqual(new Set(found.map(({ rule }) => rule)), new Set(['lint/style/noRestrictedImports']))
    assert.ok(found.every(({ message, level }) => level === 'error' && message.includes(dependencyRule)))
    targets.forEach((target, index) => {
      const messages = found.filter(({ line }) => line === index + 1).map(({ message }) => message)
      assert.ok(
        messages.some(message => message.includes(refusals[target])),
        `${target}: ${messages.join(' ') || 'nothing reported'}`,
      )
    })
  })
}

test('a refused import is refused in every form', async () => {
  const found = await lint({
    'packages/core/src/tokens/cache/token-cache.ts': [
      `import { verify } from '../gate/verify.ts'`,
      `import type { Claims } from '../gate/claims.ts'`,
      `export { jwt } from '../gate/jwt.ts'`,
      `consume<Claims>(verify, await import('../gate/key-set.ts'))`,
    ].join('\n'),
  })
  assert.deepEqual(
    found.map(({ rule, line }) => `${rule} ${line}`),
    [1, 2, 3, 4].map(line => `lint/style/noRestrictedImports ${line}`),
  )
})

const otherRules = [
  {
    name: 'an import cycle is refused, of types too',
    files: {
      'packages/core/src/a.ts': `import type { B } from './b.ts'\nexport type A = { b: B }`,
      'packages/core/src/b.ts': `import type { A } from './a.ts'\nexport type B = { a: A }`,
    },
    rules: ['lint/suspicious/noImportCycles', 'lint/suspicious/noImportCycles'],
  },
  {
    name: 'export * is refused',
    files: { 'packages/core/src/index.ts': `export * from './errors.ts'` },
    rules: ['lint/performance/noReExportAll'],
  },
  ...[
    'core/src/clock.ts',
    'express-adapter/src/index.ts',
    'redis-store/src/index.ts',
    'server/src/app.ts',
    'server/src/config/load.ts',
  ].map(file => ({
    name: `packages/${file} must not read the environment`,
    files: { [`packages/${file}`]: 'export const level: string | undefined = process.env.LOG_LEVEL' },
    rules: ['lint/style/noProcessEnv'],
  })),
  {
    name: 'a default export is refused in src',
    files: { 'packages/server/src/app.ts': 'export default 1' },
    rules: ['lint/style/noDefaultExport'],
  },
  ...['./clock', './clock.js'].map(specifier => ({
    name: `an import of ${specifier} instead of ./clock.ts is refused`,
    files: {
      'packages/core/src/clock.ts': 'export const clock = 1',
      'packages/core/src/cache.ts': `import { clock } from '${specifier}'\nconsume(clock)`,
    },
    rules: ['lint/correctness/useImportExtensions'],
  })),
  {
    name: 'a file of more than 250 lines gets a warning',
    files: {
      'packages/core/src/cache.ts': Array.from({ length: 251 }, (_, i) => `consume(${i})`).join('\n'),
    },
    rules: ['lint/style/noExcessiveLinesPerFile'],
    level: 'warning',
  },
  {
    name: 'a promise that nobody awaits is refused, of another file too',
    files: {
      'packages/core/src/close.ts': 'export async function close(): Promise<void> {}',
      'packages/core/src/cache.ts': `import { close } from './close.ts'\nexport function stop(): void {\n  close()\n}`,
    },
    rules: ['lint/nursery/noFloatingPromises'],
  },
  ...[
    'core/src/clock.ts',
    'express-adapter/src/index.ts',
    'redis-store/src/index.ts',
    'server/src/app.ts',
  ].map(file => ({
    name: `packages/${file} must not write to the console`,
    files: { [`packages/${file}`]: `console.log('started')` },
    rules: ['lint/suspicious/noConsole'],
  })),
  {
    name: 'a type is imported as a type',
    files: {
      'packages/core/src/cache.ts': `import { Clock } from './clock.ts'\nexport const clocks: Clock[] = []`,
    },
    rules: ['lint/style/useImportType'],
  },
  {
    name: 'a type is exported as a type',
    files: { 'packages/core/src/index.ts': `import type { Clock } from './clock.ts'\nexport { Clock }` },
    rules: ['lint/style/useExportType'],
  },
  {
    name: 'a module of Node is imported with node:',
    files: { 'packages/core/src/cache.ts': `import { createHash } from 'crypto'\nconsume(createHash)` },
    rules: ['lint/style/useNodejsImportProtocol'],
  },
  {
    name: 'a file name is kebab-case',
    files: { 'packages/core/src/tokenCache.ts': 'export const cache = 1' },
    rules: ['lint/style/useFilenamingConvention'],
  },
]

for (const { name, files, rules, level = 'error' } of otherRules) {
  test(name, async () => {
    const found = await lint(files)
    assert.deepEqual(
      found.map(({ rule }) => rule),
      rules,
    )
    assert.ok(found.every(finding => finding.level === level))
  })
}

test('files that keep to the rules pass', async () => {
  const found = await lint({
    'packages/core/src/index.ts': `export { TokenBroker } from './token-broker.ts'`,
    'packages/core/src/token-broker.ts': `import { check } from './check/check.ts'\nexport const TokenBroker = check`,
    'packages/core/src/check/check.ts': [
      `import { verify } from '../gate/verify.ts'`,
      `import { getToken } from '../tokens/get-token.ts'`,
      `export const check = [verify, getToken]`,
    ].join('\n'),
    'packages/core/src/gate/verify.ts': `import { clock } from '../clock.ts'\nexport const verify = clock`,
    'packages/core/src/tokens/get-token.ts': `import { clock } from '../clock.ts'\nexport const getToken = clock`,
    'packages/core/src/clock.ts': 'export const clock: number = process.hrtime()[0]',
    'packages/core/src/outbound/create-fetch.ts': `import { getToken } from '../tokens/get-token.ts'\nconsume(getToken)`,
    'packages/core/src/outbound/undici-interceptor.ts': `import type { Dispatcher } from 'undici'\nconsume<Dispatcher>()`,
    'packages/core/src/undici/index.ts': `import { Agent } from 'undici'\nexport const agent = new Agent()`,
    'packages/core/src/opentelemetry/index.ts': `import { trace } from '@opentelemetry/api'\nexport const tracer = trace`,
    'packages/server/src/cli.ts': `import { start } from './start.ts'\nconsole.log(process.env.PORT)\nawait start()`,
    'packages/server/src/start.ts': `import { TokenBroker } from '@broker/core'\nexport async function start(): Promise<void> {\n  consume(TokenBroker)\n}`,
    'packages/server/src/pool.ts': `import { tokenInterceptor } from '@broker/core/undici'\nconsume(tokenInterceptor)`,
    'packages/express-adapter/src/index.ts': `import { TokenBroker } from '@broker/core'\nconsume(TokenBroker)`,
    'packages/core/test/dex.test.ts': `import { DevDex } from '@broker/dev-dex'\nimport { clock } from '../src/clock.ts'\nconsume(DevDex, clock)`,
    'packages/core/vitest.config.ts': 'export default {}',
    'examples/quickstart/src/quickstart.ts': `import { DevDex } from '@broker/dev-dex'\nconsole.log(DevDex, process.env.PORT)`,
  })
  assert.deepEqual(found, [])
})

/** The findings of biome for these files, laid out like the repository, under the repository's own biome.json. */
async function lint(files) {
  const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'lint-rules-'))
  try {
    await cp(path.join(root, 'biome.json'), path.join(folder, 'biome.json'))
    // biome.json asks for the ignore file, and biome refuses to run without it.
    await writeFile(path.join(folder, '.gitignore'), 'node_modules/\n')
    for (const [file, text] of Object.entries(files)) {
      await mkdir(path.join(folder, path.dirname(file)), { recursive: true })
      await writeFile(path.join(folder, file), `${text}\n`)
    }
    const output = await outputOfBiome(['lint', '--reporter=github', '--max-diagnostics=none', folder])
    return [...output.matchAll(/^::(\w+) title=([^,]+),.*?line=(\d+),.*?::(.*)$/gm)].map(
      ([, level, rule, line, message]) => ({ level, rule, line: Number(line), message }),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function outputOfBiome(args) {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [biome, ...args], { cwd: args.at(-1) }, (error, stdout, stderr) => {
      // Findings end biome with 1; its summary is there whenever it ran at all.
      if (error && !/Checked|Some errors were emitted/.test(stdout + stderr)) reject(error)
      else resolve(stdout)
    })
  })
}
