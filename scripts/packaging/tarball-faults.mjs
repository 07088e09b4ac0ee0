// Rules for an unpacked tarball: sentences about everything that npm or a user would refuse.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { factFaults } from '../release/release-facts.mjs'
import { staticImports } from './static-imports.mjs'

const filesBesideDist = ['LICENSE', 'README.md', 'package.json']
/** Further files of a package, by its folder. */
const furtherFiles = { 'packages/server': ['config.schema.json'] }
/** A package with this file is bundled: tsc writes its types alone. */
const bundlerConfig = 'rolldown.config.js'
const dependencyFields = ['dependencies', 'peerDependencies', 'optionalDependencies']
const validName = /^@[a-z\d][a-z\d._-]*\/[a-z\d][a-z\d._-]*$/
const validVersion = /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[\da-z.-]+)?$/i

/**
 * `contents` is the folder `package` of the unpacked tarball, `folder` the package's own below `root`, such as
 * `packages/core`; `facts` is the content of release.json.
 */
export function tarballFaults(contents, { root, folder, facts }) {
  const files = filesUnder(contents)
  if (!files.includes('package.json')) return ['package.json is missing']
  const manifest = JSON.parse(readFileSync(path.join(contents, 'package.json'), 'utf8'))
  return [
    ...fileFaults(files, folder),
    ...staleFaults(contents, files, { source: path.join(root, folder), folder }),
    ...sourceMapFaults(contents, files),
    ...manifestFaults(manifest, JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'))),
    ...entryFaults(manifest, files),
    ...commandFaults(contents, manifest),
    ...factFaults(folder, manifest, facts),
  ]
}

/** Every file below `folder`, relative to it, with `/`. */
export function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort()
}

function fileFaults(files, folder) {
  const expected = [...filesBesideDist, ...(furtherFiles[folder] ?? [])]
  const missing = expected.filter(file => !files.includes(file)).map(file => `${file} is missing`)
  const unwanted = files
    .filter(file => !file.startsWith('dist/') && !expected.includes(file))
    .map(file => `${file} does not belong into the package`)
  const tests = files
    .filter(file => /(?:^|\/)(?:test|tests|__tests__)\/|\.(?:test|spec)\.[cm]?[jt]s$/.test(file))
    .map(file => `${file} is a test`)
  return [...missing, ...unwanted, ...tests]
}

// tsc and the bundler leave the output of a source file that has been renamed, deleted or bundled, and it would be published.
function staleFaults(contents, files, { source, folder }) {
  const scripts = files.filter(file => file.startsWith('dist/') && file.endsWith('.js'))
  const sourceOf = file => path.join(source, file.replace(/^dist\/(.*)\.js$/, 'src/$1.ts'))
  if (!existsSync(path.join(source, bundlerConfig))) {
    return scripts
      .filter(file => !existsSync(sourceOf(file)))
      .map(file => `${file} no longer has a source: delete ${folder}/dist and build again`)
  }
  const { exports } = JSON.parse(readFileSync(path.join(contents, 'package.json'), 'utf8'))
  const entries = targetsOf(exports).map(target => path.join(contents, target))
  const { files: loaded } = staticImports(...entries.filter(file => file.endsWith('.js') && existsSync(file)))
  return scripts
    .filter(file => !loaded.includes(path.resolve(contents, file)))
    .map(file => `${file} is in no entry's bundle: delete ${folder}/dist and build again`)
}

// src is not published: a map has to bring its sources itself.
function sourceMapFaults(contents, files) {
  const faults = []
  for (const file of files.filter(name => name.endsWith('.map'))) {
    const map = JSON.parse(readFileSync(path.join(contents, file), 'utf8'))
    map.sources.forEach((source, index) => {
      if (map.sourcesContent?.[index]) return
      const sourceFile = path.posix.join(path.posix.dirname(file), source)
      if (!files.includes(sourceFile))
        faults.push(`${file} points to ${sourceFile}, which is not in the package`)
    })
  }
  return faults
}

function manifestFaults(manifest, source) {
  const faults = []
  if (manifest.name !== source.name) faults.push(`package.json names ${manifest.name}`)
  if (!validName.test(manifest.name))
    faults.push(`${manifest.name} is not a name with a scope that npm accepts`)
  if (manifest.version !== source.version) faults.push(`package.json has the version ${manifest.version}`)
  if (!validVersion.test(manifest.version)) faults.push(`${manifest.version} is not a version`)
  if (manifest.private) faults.push('package.json says private: npm refuses it')
  // Without a build before it, `pnpm pack` makes a valid tarball with nothing in it.
  if (!source.scripts?.prepack?.startsWith('tsc ')) faults.push('prepack does not build it')
  for (const field of dependencyFields) {
    for (const [dependency, range] of Object.entries(manifest[field] ?? {})) {
      if (/^(workspace|catalog|link|file|portal):/.test(range))
        faults.push(`${field}: ${dependency} is still "${range}"`)
    }
  }
  return faults
}

/** `main`, `types` and each target of `exports` must be in the tarball. */
function entryFaults(manifest, files) {
  return targetsOf([manifest.main, manifest.types, manifest.exports])
    .map(target => target.replace(/^\.\//, ''))
    .filter(target => !files.includes(target))
    .map(target => `package.json points to ${target}, which is not in the package`)
}

function targetsOf(value) {
  if (typeof value === 'string') return [value]
  return value && typeof value === 'object' ? Object.values(value).flatMap(targetsOf) : []
}

function commandFaults(contents, manifest) {
  return Object.entries(manifest.bin ?? {}).flatMap(([command, target]) => {
    const file = path.join(contents, target)
    if (!existsSync(file)) return [`the command ${command} is ${target}, which is not in the package`]
    const faults = []
    if (!readFileSync(file, 'utf8').startsWith('#!/usr/bin/env node\n'))
      faults.push(`${target} does not begin with #!/usr/bin/env node`)
    if (process.platform !== 'win32' && (statSync(file).mode & 0o111) === 0)
      faults.push(`${target} is not executable`)
    return faults
  })
}
