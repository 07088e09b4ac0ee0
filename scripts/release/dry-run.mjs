// A release from beginning to end in a copy of the checkout, but for the last step: the packages are published to a registry
// on 127.0.0.1, and nothing leaves this machine. Prints what would be public, and fails when npm, a registry or a user would
// refuse it. Needs a build, git, tar, npm and its registry.
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parse } from 'yaml'
import { filesUnder, tarballFaults } from '../packaging/tarball-faults.mjs'
import { runCommand } from '../workspace/run-command.mjs'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'
import { imageReferences, isImageReference } from './image-tags.mjs'
import { startLocalRegistry } from './local-registry.mjs'
import { chartFolder, namedVersions } from './named-versions.mjs'
import { placeholdersLeft } from './placeholders.mjs'
import { provenanceFaults } from './provenance.mjs'
import { commandFaults, installProject } from './published-project.mjs'
import { commitAll, copyRepository } from './release-copy.mjs'
import { readReleaseFacts, repositoryUrl } from './release-facts.mjs'
import { makeSboms } from './sbom.mjs'
import { workflowFaults } from './workflow-faults.mjs'

/** A command that failed: its output says why, a stack would not. */
class StepFailed extends Error {}

const commandTimeoutMs = 180_000
// As in a workflow, but without its identity, which no registry of 127.0.0.1 may see.
const localEnvironment = { CI: 'true', GITHUB_ACTIONS: undefined, ACTIONS_ID_TOKEN_REQUEST_URL: undefined }

const facts = readReleaseFacts()
const published = workspacePackages().filter(({ manifest }) => !manifest.private)
const faults = []
const workFolder = mkdtempSync(path.join(realpathSync(tmpdir()), 'release-'))
const copy = path.join(workFolder, 'copy')
try {
  copyRepository(root, copy)
  await prepare()
  const version = await raiseVersions()
  const { release, container } = readWorkflows()
  check('workflows', workflowFaults({ release, container }))
  check('provenance', await provenanceFaults({ release, folder: path.join(copy, published[0].folder) }))
  inspectImage(version)
  inspectNamedVersions(version)
  await inspectSboms()
  await using registry = await startLocalRegistry({ repositoryUrl: repositoryUrl(facts) })
  writeFileSync(path.join(copy, '.npmrc'), `${facts.scope}:registry=${registry.url}\n`)
  await publish(registry, version)
  inspectTarballs(registry, version)
  // A refused package cannot be installed.
  if (faults.length === 0) await useThem(registry, version)
  sayPlaceholders()
} catch (error) {
  faults.push(error instanceof StepFailed ? error.message : error.stack)
} finally {
  rmSync(workFolder, { recursive: true, force: true })
}
for (const fault of faults) console.error(`failed  ${fault}`)
if (faults.length > 0) process.exitCode = 1
else
  console.log(
    '\nNothing of this would be refused. Whether a version exists already, only the registries know.',
  )

async function prepare() {
  await run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline', '--ignore-scripts'])
  // `prepack` builds each package anew; what it imports from its siblings is there before.
  for (const { folder, manifest } of published) {
    const dist = path.join(root, folder, 'dist')
    if (!existsSync(dist)) throw new StepFailed(`${manifest.name} has no dist: run pnpm build first`)
    cpSync(dist, path.join(copy, folder, 'dist'), { recursive: true })
  }
}

async function raiseVersions() {
  await run('pnpm', ['run', 'version-packages'])
  commitAll(copy, 'chore: versions of the next release')
  const versions = new Set(published.map(({ folder }) => manifestIn(folder).version))
  check('versions', versions.size === 1 ? [] : [`the packages have ${[...versions].join(', ')}`])
  const [version] = versions
  for (const { folder, manifest } of published) {
    const changelog = readFileSync(path.join(copy, folder, 'CHANGELOG.md'), 'utf8')
    const [, entry = ''] = changelog.split(`\n## ${version}\n`)
    check(manifest.name, entry.trim() ? [] : ['its changelog has no entry for the release'])
    console.log(`\n${manifest.name} ${version}\n${indented(entry.split('\n## ')[0].trim())}`)
  }
  return version
}

/** Runs the command of the workflow, with another registry. */
async function publish(registry, version) {
  const { exitCode, output } = await runInCopy('pnpm', ['exec', 'changeset', 'publish'])
  if (exitCode !== 0) faults.push(`changeset publish\n${output}`)
  const tags = (await run('git', ['tag', '--list'])).trim().split('\n')
  console.log(`\nGit tags: ${tags.join(', ')}`)
  for (const { manifest } of published) {
    const { name } = manifest
    const isThere = registry.tarballs.has(`${name}@${version}`)
    check(name, isThere ? [] : ['it was not published'])
    check(name, tags.includes(`${name}@${version}`) ? [] : ['it has no tag'])
  }
}

function inspectTarballs(registry, version) {
  const rows = published.map(({ folder, manifest: { name } }) => {
    const tarball = registry.tarballs.get(`${name}@${version}`)
    if (tarball === undefined) return { package: name, version: 'not published' }
    const contents = unpack(folder, tarball)
    check(name, tarballFaults(contents, { root: copy, folder, facts }))
    const files = filesUnder(contents)
    const bytes = files.reduce((sum, file) => sum + readFileSync(path.join(contents, file)).length, 0)
    return {
      package: name,
      version,
      'tarball kB': kilobytes(tarball.length),
      files: files.length,
      'unpacked kB': kilobytes(bytes),
    }
  })
  console.log('')
  console.table(rows)
}

function unpack(folder, tarball) {
  const target = path.join(workFolder, 'unpacked', path.basename(folder))
  mkdirSync(target, { recursive: true })
  const file = `${target}.tgz`
  writeFileSync(file, tarball)
  execFileSync('tar', ['-xzf', file, '-C', target])
  return path.join(target, 'package')
}

function inspectImage(version) {
  const references = imageReferences(facts.image, version)
  console.log(`Image: ${references.join(', ')}`)
  // Registries know no capitals; the placeholder has some.
  const refused = references.filter(
    reference => !isImageReference(facts.decided ? reference : reference.toLowerCase()),
  )
  check(
    'image',
    refused.map(reference => `no registry accepts ${reference}`),
  )
}

function inspectNamedVersions(version) {
  const places = namedVersions(copy)
  check(
    'manifests',
    places.some(({ name }) => name.startsWith('deploy/')) ? [] : ['none names a version of the image'],
  )
  check(
    'manifests',
    places
      .filter(place => place.version !== version)
      .map(place => `${place.name} names ${place.version}, not ${version}`),
  )
  const chart = chartFolder(copy)
  console.log(
    chart ? `Chart: ${facts.chartRepository}, version ${version}, from ${chart}` : 'Chart: none in deploy/',
  )
  const names = places.map(({ name }) => name)
  check('chart', !chart || names.includes(`${chart}/Chart.yaml`) ? [] : ['Chart.yaml has no version'])
}

async function inspectSboms() {
  for (const { name, components, faults: found } of await makeSboms(path.join(workFolder, 'sbom'), {
    checkout: copy,
  })) {
    console.log(`SBOM: ${name}, ${components} components, as in pnpm-lock.yaml`)
    check(
      name,
      found.map(fault => `SBOM: ${fault}`),
    )
  }
}

async function useThem(registry, version) {
  const project = path.join(workFolder, 'project')
  const packages = published.map(({ manifest }) => `${manifest.name}@${version}`)
  await installProject(project, { registry: registry.url, scope: facts.scope, packages })
  const command = 'dex-token-broker'
  const { folder } = published.find(({ manifest: { bin } }) => bin?.[command])
  check(folder, await commandFaults(project, { command, version }))
  console.log(
    `Installed in a fresh project: ${command} --version prints ${version}, and a check gets its token`,
  )
}

function sayPlaceholders() {
  const left = placeholdersLeft(root).length
  if (left === 0) return
  console.log(
    `${left} placeholders are left (node scripts/release/placeholders.mjs): the release workflow stops at them`,
  )
}

function readWorkflows() {
  const read = name => parse(readFileSync(path.join(copy, '.github/workflows', name), 'utf8'))
  return { release: read('release.yml'), container: read('container.yml') }
}

function manifestIn(folder) {
  return JSON.parse(readFileSync(path.join(copy, folder, 'package.json'), 'utf8'))
}

async function run(command, args) {
  const { exitCode, output } = await runInCopy(command, args)
  if (exitCode !== 0) throw new StepFailed(`${command} ${args.join(' ')}\n${output}`)
  return output
}

function runInCopy(command, args) {
  return runCommand(command, args, { cwd: copy, env: localEnvironment, timeoutMs: commandTimeoutMs })
}

function check(subject, found) {
  for (const fault of found) faults.push(`${subject}: ${fault}`)
}

function indented(text) {
  return text.replaceAll(/^(?=.)/gm, '  ')
}

function kilobytes(bytes) {
  return Math.round(bytes / 100) / 10
}
