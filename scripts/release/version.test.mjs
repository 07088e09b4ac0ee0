// `pnpm version-packages` in a copy of the repository.
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { runCommand } from '../workspace/run-command.mjs'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'
import { chartFolder, namedVersions } from './named-versions.mjs'
import { changesetFaults } from './pending-changesets.mjs'
import { commitAll, copyRepository } from './release-copy.mjs'

const published = workspacePackages().filter(({ manifest }) => !manifest.private)
const [core] = published
const changeset = (text, name = core.manifest.name) => `---\n'${name}': minor\n---\n\n${text}\n`

test('the changelog of the first release has the descriptions of the packages and no other changeset', async context => {
  const { write, read, run } = copyOf(context, '0.0.0')
  for (const { folder, manifest } of published) {
    write(
      `.changeset/first-release-${path.basename(folder)}.md`,
      changeset(`Is ${manifest.name}.`, manifest.name),
    )
  }
  write('.changeset/an-earlier-change.md', changeset('Another way to build it.'))
  write(
    '.changeset/of-a-private-package.md',
    changeset('Mixed.').replace(': minor', `: minor\n'${privateName()}': minor`),
  )
  await run()
  for (const { folder, manifest } of published) {
    assert.equal(read(`${folder}/CHANGELOG.md`), `# ${manifest.name}\n\n## 0.1.0\n\nIs ${manifest.name}.\n`)
  }
})

test('a later release prints its changesets, and raises every place that names the version', async context => {
  const { folder, write, read, run } = copyOf(context, '0.1.0')
  write('.changeset/new-option.md', changeset('`newOption` is new.\n\n- It has a default.'))
  await run()
  assert.match(
    read(`${core.folder}/CHANGELOG.md`),
    /^# .*\n\n## 0\.2\.0\n\n### Minor Changes\n\n- `newOption` is new\.\n\n {2}- It has a default\.\n/,
  )
  const places = namedVersions(folder)
  assert.ok(places.some(({ name }) => name === 'deploy/kubernetes/base/deployment.yaml'))
  assert.ok(places.some(({ name }) => name === 'deploy/kubernetes/example/kustomization.yaml'))
  assert.deepEqual(
    places.filter(({ version }) => version !== '0.2.0'),
    [],
  )
  assert.match(read('packages/core/src/shared/version.ts'), /'0\.2\.0'/)
})

test('the version of a chart is one of the places, and a second chart is an error', context => {
  const { folder, write } = copyOf(context, '0.1.0')
  const add = name => {
    mkdirSync(path.join(folder, 'deploy', name), { recursive: true })
    write(`deploy/${name}/Chart.yaml`, "apiVersion: v2\nname: x\nversion: 0.3.0\nappVersion: '0.3.1'\n")
  }
  if (chartFolder(folder)) rmSync(path.join(folder, chartFolder(folder)), { recursive: true })
  add('one')
  assert.equal(chartFolder(folder), 'deploy/one')
  const versions = namedVersions(folder).filter(({ name }) => name === 'deploy/one/Chart.yaml')
  assert.deepEqual(
    versions.map(({ version }) => version),
    ['0.3.0', '0.3.1'],
  )
  add('two')
  assert.throws(() => chartFolder(folder), /more than one chart/)
})

test('without changesets the version stays', async context => {
  const { read, run } = copyOf(context, '0.1.0')
  await run()
  assert.match(read(`${core.folder}/package.json`), /"version": "0\.1\.0"/)
})

test('a changeset that users cannot read stops the release', async context => {
  const { folder, write, run } = copyOf(context, '0.1.0')
  const faultsOf = text => {
    write('.changeset/change.md', text)
    return changesetFaults(folder).join('\n')
  }
  assert.equal(faultsOf(changeset('Tokens are cached longer.')), '')
  assert.match(faultsOf(changeset('Moved src/tokens/cache.ts.')), /"src\/" means nothing to users/)
  assert.match(faultsOf(changeset('Less garbage in the old space.')), /"garbage"/)
  assert.match(faultsOf(changeset('- One.\n'.repeat(13))), /13 lines/)
  assert.match(faultsOf(changeset('')), /says nothing/)
  assert.match(faultsOf(changeset('Mixed.', privateName())), /is not published/)
  await assert.rejects(run(), /is not published/)
})

test('the pending changesets of the repository can be released', () => {
  assert.deepEqual(changesetFaults(root), [])
})

function privateName() {
  return workspacePackages().find(
    ({ folder, manifest }) => folder.startsWith('packages/') && manifest.private,
  ).manifest.name
}

/** Nothing else is read or written. */
const filesOfVersions =
  /^(?:(?:\.changeset|scripts|deploy|docs)\/|[\w-]+\.(?:json|yaml)$|(?:[\w-]+\/){1,2}package\.json$|packages\/core\/src\/shared\/version\.ts$)/

/** A copy without changesets, whose packages have `version`. */
function copyOf(context, version) {
  const folder = path.join(mkdtempSync(path.join(realpathSync(tmpdir()), 'version-')), 'copy')
  context.after(() => rmSync(path.dirname(folder), { recursive: true, force: true }))
  copyRepository(root, folder, filesOfVersions)
  const write = (name, text) => writeFileSync(path.join(folder, name), text)
  const read = name => readFileSync(path.join(folder, name), 'utf8')
  for (const name of readdirSync(path.join(folder, '.changeset'))) {
    if (name.endsWith('.md') && name !== 'README.md') rmSync(path.join(folder, '.changeset', name))
  }
  for (const { folder: name } of published) {
    write(
      `${name}/package.json`,
      read(`${name}/package.json`).replace(/"version": ".*"/, `"version": "${version}"`),
    )
    rmSync(path.join(folder, name, 'CHANGELOG.md'), { force: true })
    assert.ok(!existsSync(path.join(folder, name, 'CHANGELOG.md')))
  }
  return {
    folder,
    write,
    read,
    async run() {
      commitAll(folder, 'changes')
      const { exitCode, output } = await runCommand(process.execPath, ['scripts/release/version.mjs'], {
        cwd: folder,
      })
      if (exitCode !== 0) throw new Error(output)
    },
  }
}
