// Installs the packages as users get them, from their tarballs and outside the workspace, and uses them: types and run
// time, as ESM and from CommonJS, with undici and without, with Express 5 and 4; and the service of the page Test your service
// with the tools of its readers. Needs a build, npm and its registry.
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runCommand } from '../workspace/run-command.mjs'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'
import { proveService, shownLines, writeService } from './tested-service.mjs'

/** A problem with the packages or their surroundings: shown without a stack. */
class Fault extends Error {}

const unreachable = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network/

/** The steps that every consumer runs with the core: the servers stand for Dex and for an API. */
const coreStory = `
async function useCore(broker: TokenBroker, apiUrl: string): Promise<void> {
  const token: IssuedToken = await broker.getToken()
  assert.deepEqual(token.headers, { authorization: 'Bearer the-token' })
  const response = await createFetch(broker, { allow: [apiUrl] })(apiUrl + '/orders', { method: 'POST', body: 'three' })
  assert.equal(await response.text(), 'Bearer the-token')
  await assert.rejects(broker.verify('x'), TypeError)
  const verdict = await broker.check({ headers: [] })
  assert.equal(verdict.outcome, 'allow')
}

async function withServers(use: (tokenEndpoint: string, apiUrl: string) => Promise<void>): Promise<void> {
  const servers: Server[] = []
  const serve = async (listener: RequestListener) => {
    const server = createServer(listener).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    return 'http://127.0.0.1:' + (server.address() as AddressInfo).port
  }
  const dexUrl = await serve((request, response) => {
    assert.equal(request.headers.authorization, 'Basic ' + Buffer.from('portal:portal-secret').toString('base64'))
    response.setHeader('content-type', 'application/json')
    response.end('{"access_token":"the-token","token_type":"bearer","expires_in":3600}')
  })
  const apiUrl = await serve((request, response) => response.end(request.headers.authorization))
  try {
    await use(dexUrl + '/token', apiUrl)
  } finally {
    for (const server of servers) server.close()
    for (const server of servers) server.closeAllConnections()
  }
}
`

const coreImports = `
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFetch, type IssuedToken, TokenBroker } from '@broker/core'
`

const client = `client: { clientId: 'portal', clientSecret: 'portal-secret' }`

const coreAlone = `${coreImports}
${coreStory}
withServers(async (tokenEndpoint, apiUrl) => {
  const broker = new TokenBroker({ tokenEndpoint, ${client} })
  await useCore(broker, apiUrl)
  await broker.close()
  console.log('used')
})
`

// Nobody listens on port 1: the broker works without its store.
const withStore = `${coreImports}
import { type RedisTokenStore, redisTokenStore } from '@broker/redis-store'
${coreStory}
withServers(async (tokenEndpoint, apiUrl) => {
  const store: RedisTokenStore = redisTokenStore({ url: 'redis://127.0.0.1:1' })
  const keys = [Buffer.alloc(32, 'k').toString('base64')]
  const broker = new TokenBroker({ tokenEndpoint, ${client}, sharedStore: { store, keys } })
  await useCore(broker, apiUrl)
  await broker.close()
  await store.close()
  console.log('used')
})
`

const everything = `${coreImports}
import { openTelemetryTracer } from '@broker/core/opentelemetry'
import { tokenInterceptor, undiciTransport } from '@broker/core/undici'
import { attachToken, authOf, brokerErrorHandler, createRequestFetch, requireClaims, requireJwt } from '@broker/express-adapter'
import express from 'express'
import { Agent, interceptors, request } from 'undici'
${coreStory}
withServers(async (tokenEndpoint, apiUrl) => {
  const agent = new Agent()
  const gate = { jwksUri: tokenEndpoint, audience: 'orders' }
  await using broker = new TokenBroker({ tokenEndpoint, ${client}, gate, transport: undiciTransport(agent), tracer: openTelemetryTracer() })
  const allow = [apiUrl]
  const dispatcher = agent.compose(tokenInterceptor(broker, { allow }), interceptors.redirect())
  const { body } = await request(apiUrl, { dispatcher })
  assert.equal(await body.text(), 'Bearer the-token')

  const requestFetch = createRequestFetch(broker, { allow })
  const app = express()
  app.get('/gate', requireJwt(broker), requireClaims(({ sub }) => sub === 'ada'), (request, response) => {
    response.json(authOf(request).claims)
  })
  app.get('/attached', attachToken(broker), (request, response) => {
    response.send(request.headers.authorization)
  })
  app.get('/call', (request, response, next) => {
    requestFetch(request)(apiUrl)
      .then(answer => answer.text())
      .then(text => response.send(text), next)
  })
  app.use(brokerErrorHandler())
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = 'http://127.0.0.1:' + (server.address() as AddressInfo).port
  assert.equal((await fetch(url + '/gate')).status, 401)
  for (const path of ['/attached', '/call']) {
    assert.equal(await (await fetch(url + path)).text(), 'Bearer the-token')
  }
  server.close()
  server.closeAllConnections()
  await agent.close()
  console.log('used')
})
`

const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'packaging-proof-'))
try {
  const tarballs = await pack()
  const { core, server, 'dev-dex': devDex, 'express-adapter': adapter, 'redis-store': redisStore } = tarballs
  const nodeTypes = { '@types/node': versionIn('packages/core', '@types/node') }
  const undici = { undici: versionIn('packages/core', 'undici') }
  // Its package.json cannot be read through its exports.
  const tracing = { '@opentelemetry/api': '1' }
  const express5 = {
    express: versionIn('packages/express-adapter', 'express'),
    '@types/express': versionIn('packages/express-adapter', '@types/express'),
  }
  const express4 = { express: versionIn('packages/express-adapter', 'express4'), '@types/express': '^4.17.0' }

  await proveProject('@broker/core alone, without undici and OpenTelemetry', {
    dependencies: { '@broker/core': core, ...nodeTypes },
    story: coreAlone,
    absent: ['undici', 'express', '@opentelemetry/api'],
  })
  await proveProject('the store on Redis', {
    dependencies: { '@broker/core': core, '@broker/redis-store': redisStore, ...nodeTypes },
    story: withStore,
    absent: ['undici', 'express'],
  })
  const brokers = { '@broker/core': core, '@broker/express-adapter': adapter }
  await proveProject('everything, with Express 5', {
    dependencies: {
      ...brokers,
      '@broker/redis-store': redisStore,
      '@broker/server': server,
      ...undici,
      ...tracing,
      ...express5,
      ...nodeTypes,
    },
    story: everything,
    commands: ['dex-token-broker', 'terraform-credentials-dex'],
  })
  // The oldest version that the peer dependency allows.
  const oldTracing = { '@opentelemetry/api': '1.9.0' }
  await proveProject('the adapter, with Express 4', {
    dependencies: { ...brokers, ...undici, ...oldTracing, ...express4, ...nodeTypes },
    story: everything,
  })
  const runners = {
    esbuild: '0.28.2',
    jest: versionIn('examples/testing', 'jest'),
    '@jest/globals': versionIn('examples/testing', '@jest/globals'),
    vitest: versionIn('examples/testing', 'vitest'),
  }
  await proveTestedService({ ...brokers, '@broker/dev-dex': devDex, ...express5, ...nodeTypes, ...runners })
} catch (error) {
  console.error(error instanceof Fault ? error.message : error)
  process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** The tarballs by the last part of the package's name, as npm takes them. */
async function pack() {
  const tarballs = {}
  for (const { folder: packageFolder, manifest } of workspacePackages()) {
    if (manifest.private) continue
    const name = manifest.name.split('/')[1]
    const tarball = path.join(folder, `${name}.tgz`)
    await run(
      'pnpm',
      ['pack', '--out', tarball],
      path.join(root, packageFolder),
      `${manifest.name} cannot be packed`,
    )
    tarballs[name] = `file:${tarball}`
  }
  return tarballs
}

/** The version that the workspace itself tests with. */
function versionIn(packageFolder, dependency) {
  const require = createRequire(path.join(root, packageFolder, 'package.json'))
  return require(`${dependency}/package.json`).version
}

async function proveProject(name, { dependencies, story, absent = [], commands = [] }) {
  const project = await createProject(name, { dependencies })
  const write = (file, content) =>
    writeFile(path.join(project, file), typeof content === 'string' ? content : JSON.stringify(content))
  const require = createRequire(path.join(project, 'package.json'))
  for (const dependency of absent) {
    if (resolves(require, dependency)) throw new Fault(`${name}: ${dependency} came along`)
  }

  // The same text as ESM and as CommonJS; tsc makes `require` of the imports of the latter.
  await write('esm.mts', story)
  await write('commonjs.cts', story)
  await write('tsconfig.json', {
    compilerOptions: {
      target: 'es2023',
      lib: ['es2024', 'esnext.disposable'],
      module: 'nodenext',
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      outDir: 'out',
    },
    files: ['esm.mts', 'commonjs.cts'],
  })
  await run('tsc', ['-p', '.'], project, `${name}: the types do not fit`)
  for (const file of ['out/esm.mjs', 'out/commonjs.cjs']) {
    const output = await run(process.execPath, [file], project, `${name}: ${file} failed`)
    if (!/^used$/m.test(output)) throw new Fault(`${name}: ${file} did not come to its end\n${output}`)
  }
  for (const command of commands) await proveCommand(name, project, command)
  console.log(`ok  ${name}`)
}

async function proveTestedService(dependencies) {
  const lines = await shownLines()
  const name = `a service with tests, in ${lines} lines`
  const project = await createProject('tested-service', { type: 'module', dependencies })
  await writeService(project)
  await proveService(project, (command, args, complaint) =>
    run(command, args, project, `${name}: ${complaint}`),
  )
  await proveCommand(name, project, 'dev-dex')
  console.log(`ok  ${name}`)
}

async function createProject(name, fields) {
  const project = path.join(folder, name.replaceAll(/\W+/g, '-'))
  await mkdir(project)
  // Nothing of ours may come from a registry.
  const ours = Object.keys(fields.dependencies).filter(dependency => dependency.startsWith('@broker/'))
  const overrides = Object.fromEntries(ours.map(dependency => [dependency, `$${dependency}`]))
  const manifest = { name: 'consumer', private: true, ...fields, overrides }
  await writeFile(path.join(project, 'package.json'), JSON.stringify(manifest))
  await install(project, name)
  return project
}

async function install(project, name) {
  const options = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', '--fetch-retries=1']
  const { exitCode, output } = await runCommand('npm', ['install', ...options], { cwd: project })
  if (exitCode === 0) return
  const reason = unreachable.test(output) ? 'the registry of npm cannot be reached' : 'npm cannot install it'
  throw new Fault(`${name}: ${reason}\n${output}`)
}

async function proveCommand(name, project, command) {
  const executable = path.join(project, 'node_modules', '.bin', command)
  const output = await run(executable, ['--version'], project, `${name}: ${command} --version failed`)
  const { version } = workspacePackages().find(({ manifest }) => manifest.bin?.[command]).manifest
  if (!output.includes(version)) throw new Fault(`${name}: ${command} --version says ${output}`)
}

function resolves(require, dependency) {
  try {
    return Boolean(require.resolve(`${dependency}/package.json`))
  } catch {
    return false
  }
}

async function run(command, args, cwd, complaint) {
  const { exitCode, output } = await runCommand(command, args, { cwd })
  if (exitCode !== 0) throw new Fault(`${complaint}\n${output}`)
  return output
}
