// Measures @broker/core beside other libraries that get tokens: installed size, bundle, cold import, token requests.
//   node scripts/packaging/compare-libraries.mjs [--publish] [--runs=15]
// --publish writes the table into docs/comparison.md. Needs a build, npm and its registry.
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { withRegion } from '../../bench/src/publish/page-region.ts'
import { summarize } from '../../bench/src/statistics.ts'
import { startDevDex } from '../../packages/dev-dex/src/index.ts'
import { createCertificateAuthority } from '../../packages/testing/src/certificate-authority.ts'
import { runCommand } from '../workspace/run-command.mjs'
import { root } from '../workspace/workspace-packages.cjs'
import { comparedLibraries } from './compared-libraries.mjs'
import { libraryComparison } from './library-comparison.mjs'

const { values: options } = parseArgs({
  options: { publish: { type: 'boolean' }, runs: { type: 'string', default: '15' } },
})
const runs = Number(options.runs)
const page = path.join(root, 'docs', 'comparison.md')
// The bundler is a dependency of the server.
const bundler = createRequire(path.join(root, 'packages/server/package.json')).resolve('rolldown')
const { rolldown } = await import(pathToFileURL(bundler))

const importOf = file => `const cpu = process.cpuUsage()
const from = performance.now()
await import('${file}')
const wallMs = performance.now() - from
const { user, system } = process.cpuUsage(cpu)
console.log(JSON.stringify({ wallMs, cpuMs: (user + system) / 1000 }))
process.exit()`

const callsOf = rounds => `import { token } from './use.mjs'
for (let round = 0; round < ${rounds}; round++) {
  const tokens = await Promise.all(Array.from({ length: 20 }, () => token()))
  if (!tokens.every(text => typeof text === 'string' && text !== '')) throw new Error('no token')
}
process.exit()`

const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'compare-libraries-'))
try {
  const tarball = path.join(folder, 'core.tgz')
  await run('pnpm', ['pack', '--out', tarball], path.join(root, 'packages', 'core'))
  const projects = []
  for (const [index, library] of comparedLibraries.entries()) {
    const cwd = path.join(folder, `project-${index}`)
    projects.push({
      library,
      cwd,
      installed: await install(cwd, library, tarball),
      bundle: await bundle(cwd),
    })
  }
  const imports = await coldImports(projects)
  const requests = await tokenRequests(projects)
  const markdown = libraryComparison({
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cores: availableParallelism(),
      architecture: process.arch,
      platform: process.platform,
      node: process.version,
    },
    runs,
    libraries: projects.map(({ library: { name, version }, installed, bundle }, index) => ({
      ...{ name, version, installed, bundle, tokenRequests: requests[index] },
      ...imports[index],
    })),
  })
  console.log(markdown)
  if (options.publish) {
    await writeFile(page, withRegion(await readFile(page, 'utf8'), 'library-comparison', markdown))
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** Installs the library alone; resolves with the size of its files and the number of packages. */
async function install(cwd, { name, version, use }, tarball) {
  await mkdir(cwd)
  const dependencies = { [name]: version ?? `file:${tarball}` }
  await writeFile(
    path.join(cwd, 'package.json'),
    JSON.stringify({ type: 'module', private: true, dependencies }),
  )
  await writeFile(path.join(cwd, 'use.mjs'), use)
  await writeFile(path.join(cwd, 'import.mjs'), importOf('./use.mjs'))
  await writeFile(path.join(cwd, 'import-bundle.mjs'), importOf('./bundle.mjs'))
  for (const rounds of [1, 2]) await writeFile(path.join(cwd, `calls-${rounds}.mjs`), callsOf(rounds))
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--omit=peer'], cwd)
  const { packages } = JSON.parse(await readFile(path.join(cwd, 'package-lock.json'), 'utf8'))
  let bytes = 0
  for (const folderOfPackage of Object.keys(packages).filter(key => key !== '')) {
    bytes += await sizeOf(path.join(cwd, folderOfPackage))
  }
  return { bytes, packages: Object.keys(packages).length - 1 }
}

/** Without the packages in it, which are counted for themselves. */
async function sizeOf(target) {
  const entries = await readdir(target, { withFileTypes: true })
  const sizes = entries.map(async entry => {
    const file = path.join(target, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? 0 : sizeOf(file)
    return entry.isFile() ? (await stat(file)).size : 0
  })
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

async function bundle(cwd) {
  await using build = await rolldown({
    input: path.join(cwd, 'use.mjs'),
    cwd,
    platform: 'node',
    logLevel: 'silent',
  })
  const { output } = await build.generate({ format: 'esm', minify: true, codeSplitting: false })
  const code = output.map(chunk => chunk.code ?? '').join('')
  await writeFile(path.join(cwd, 'bundle.mjs'), code)
  return { bytes: Buffer.byteLength(code), gzipBytes: gzipSync(code, { level: 9 }).length }
}

function environment(issuer) {
  return { ISSUER: issuer, CLIENT_ID: 'reports', CLIENT_SECRET: 'reports-secret' }
}

/** In turn, so that a change of the load of the machine is in the figures of all of them. */
async function coldImports(projects) {
  const unused = environment('https://dex.example.com/dex')
  const figures = projects.map(() => ({ imports: [], bundleImports: [] }))
  for (let round = 0; round <= runs; round++) {
    for (const [index, { cwd }] of projects.entries()) {
      for (const [list, file] of [
        ['imports', 'import.mjs'],
        ['bundleImports', 'import-bundle.mjs'],
      ]) {
        const figure = JSON.parse(await run(process.execPath, [file], cwd, unused))
        // The first round fills the caches of the file system.
        if (round > 0) figures[index][list].push(figure)
      }
    }
  }
  const summary = list => ({
    wallMs: summarize(list.map(({ wallMs }) => wallMs)),
    cpuMs: summarize(list.map(({ cpuMs }) => cpuMs)),
  })
  return figures.map(({ imports, bundleImports }) => ({
    imports: summary(imports),
    bundleImports: summary(bundleImports),
  }))
}

/** Against the Dex look-alike, over TLS: msal-node takes no other. */
async function tokenRequests(projects) {
  const ca = createCertificateAuthority()
  const caFile = path.join(folder, 'ca.pem')
  await writeFile(caFile, ca.cert)
  await using dex = await startDevDex({
    clients: [{ id: 'reports', secret: 'reports-secret' }],
    tls: ca.issue('127.0.0.1'),
  })
  const env = { ...environment(dex.issuer), NODE_EXTRA_CA_CERTS: caFile }
  const counts = []
  for (const { cwd } of projects) {
    const requestsIn = async rounds => {
      dex.resetRecords()
      await run(process.execPath, [`calls-${rounds}.mjs`], cwd, env)
      return dex.counts.tokenRequests
    }
    const atOnce = await requestsIn(1)
    counts.push({ atOnce, later: (await requestsIn(2)) - atOnce })
  }
  return counts
}

async function run(command, args, cwd, env) {
  const { exitCode, output } = await runCommand(command, args, { cwd, env, timeoutMs: 180_000 })
  if (exitCode !== 0) throw new Error(`${command} ${args[0]} failed in ${cwd}\n${output}`)
  return output
}
