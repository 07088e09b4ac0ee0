// Packs every public package as it would be published and looks at the tarball, not at the folder: what counts is what
// users install. Needs a build.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runCommand } from '../workspace/run-command.mjs'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'

const filesBesideDist = ['LICENSE', 'README.md', 'package.json']
/** Further files of a package, by its folder. */
const furtherFiles = { 'packages/server': ['config.schema.json'] }
// Also for moduleResolution node10; there is no CommonJS build, and Node's require needs none.
const typesEverywhere = ['--profile', 'strict', '--ignore-rules', 'cjs-resolves-to-esm']
const dependencyFields = ['dependencies', 'peerDependencies', 'optionalDependencies']

const workFolder = await mkdtemp(path.join(await realpath(tmpdir()), 'packaging-'))
try {
  for (const { folder, manifest } of workspacePackages()) {
    if (manifest.private) continue
    const { faults, summary } = await inspectPackage(folder, manifest.name)
    console.log(`${manifest.name}: ${faults.length === 0 ? `ok, ${summary}` : `${faults.length} fault(s)`}`)
    for (const fault of faults) console.log(`  ${fault.trimEnd().replaceAll('\n', '\n  ')}`)
    if (faults.length > 0) process.exitCode = 1
  }
} finally {
  await rm(workFolder, { recursive: true, force: true })
}

async function inspectPackage(folder, name) {
  if (!existsSync(path.join(root, folder, 'dist')))
    return { faults: ['it has no dist: run pnpm build first'] }

  const tarball = path.join(workFolder, `${path.basename(folder)}.tgz`)
  const packed = await runCommand('pnpm', ['pack', '--out', tarball], { cwd: path.join(root, folder) })
  if (packed.exitCode !== 0) return { faults: [`pnpm pack failed:\n${packed.output}`] }

  const unpacked = path.join(workFolder, path.basename(folder))
  await mkdir(unpacked)
  const extracted = await runCommand('tar', ['-xzf', tarball, '-C', unpacked])
  if (extracted.exitCode !== 0) return { faults: [`the tarball cannot be unpacked:\n${extracted.output}`] }

  const contents = path.join(unpacked, 'package')
  const files = await filesUnder(contents)
  const faults = [
    ...faultsOfFiles(files, folder),
    ...(await faultsOfSourceMaps(contents, files)),
    ...(await faultsOfPrepack(folder)),
    ...faultsOfManifest(JSON.parse(await readFile(path.join(contents, 'package.json'), 'utf8')), name),
    ...(await faultsFoundBy('publint', ['run', tarball, '--strict'])),
    ...(await faultsFoundBy('attw', [tarball, ...typesEverywhere, '--no-definitely-typed'])),
  ]
  return { faults, summary: `${files.length} files` }
}

/** Without a build before it, `pnpm pack` makes a valid tarball with nothing in it. */
async function faultsOfPrepack(folder) {
  const { scripts } = JSON.parse(await readFile(path.join(root, folder, 'package.json'), 'utf8'))
  return scripts?.prepack?.startsWith('tsc ') ? [] : ['prepack does not build it']
}

function faultsOfFiles(files, folder) {
  const expected = [...filesBesideDist, ...(furtherFiles[folder] ?? [])]
  const missing = expected.filter(file => !files.includes(file)).map(file => `${file} is missing`)
  const unwanted = files
    .filter(file => !file.startsWith('dist/') && !expected.includes(file))
    .map(file => `${file} does not belong into the package`)
  // tsc leaves the output of a source file that has been renamed or deleted, and it would be published.
  const stale = files
    .filter(file => file.startsWith('dist/') && file.endsWith('.js'))
    .filter(file => !existsSync(path.join(root, folder, file.replace(/^dist\/(.*)\.js$/, 'src/$1.ts'))))
    .map(file => `${file} no longer has a source: delete ${folder}/dist and build again`)
  return [...missing, ...unwanted, ...stale]
}

// src is not published: a map has to bring its sources itself.
async function faultsOfSourceMaps(contents, files) {
  const faults = []
  for (const file of files.filter(name => name.endsWith('.map'))) {
    const map = JSON.parse(await readFile(path.join(contents, file), 'utf8'))
    map.sources.forEach((source, index) => {
      if (map.sourcesContent?.[index]) return
      const sourceFile = path.posix.join(path.posix.dirname(file), source)
      if (!files.includes(sourceFile))
        faults.push(`${file} points to ${sourceFile}, which is not in the package`)
    })
  }
  return faults
}

function faultsOfManifest(manifest, name) {
  const faults = manifest.name === name ? [] : [`package.json names ${manifest.name}`]
  for (const field of dependencyFields) {
    for (const [dependency, range] of Object.entries(manifest[field] ?? {})) {
      if (/^(workspace|catalog|link|file):/.test(range))
        faults.push(`${field}: ${dependency} is still "${range}"`)
    }
  }
  return faults
}

async function faultsFoundBy(command, args) {
  const { exitCode, output } = await runCommand(command, args)
  return exitCode === 0 ? [] : [`${command} says:\n${output}`]
}

async function filesUnder(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort()
}
