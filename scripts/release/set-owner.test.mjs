import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { runCommand } from '../workspace/run-command.mjs'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'
import { ownerFaults, ownerPlaceholder, placeholdersLeft, scopePlaceholder } from './placeholders.mjs'
import { commitAll, copyRepository } from './release-copy.mjs'
import { factFaults, readReleaseFacts } from './release-facts.mjs'
import { newFacts, replaceNames } from './set-owner.mjs'
import { trackedTexts } from './tracked-files.mjs'

const present = readReleaseFacts()
const given = { owner: 'Acme-Labs', scope: '@acme-labs' }
// Of these a person has to write others.
const isSentence = ({ text }) => /yet$/.test(text)

test('in a copy of the repository, every name is replaced, and one package builds', async context => {
  const folder = path.join(mkdtempSync(path.join(realpathSync(tmpdir()), 'owner-')), 'copy')
  context.after(() => rmSync(path.dirname(folder), { recursive: true, force: true }))
  copyRepository(root, folder)
  const script = path.join(folder, 'scripts/release/set-owner.mjs')
  const args = ['--owner', given.owner, '--scope', given.scope]
  const setOwner = () => execFileSync(process.execPath, [script, ...args], { encoding: 'utf8' })

  assert.match(setOwner(), /^[1-9]\d* files changed$/m)
  const left = placeholdersLeft(folder).filter(place => !isSentence(place))
  assert.deepEqual(left, [])
  assert.deepEqual(ownerFaults(folder, 'Acme-Labs/dex-token-broker'), [])
  commitAll(folder, 'names')
  assert.match(setOwner(), /^0 files changed$/m)
  assert.equal(execFileSync('git', ['status', '--short'], { cwd: folder, encoding: 'utf8' }), '')

  const facts = readReleaseFacts(folder)
  for (const { folder: name, manifest } of workspacePackages()) {
    const renamed = JSON.parse(readFileSync(path.join(folder, name, 'package.json'), 'utf8'))
    assert.equal(renamed.name, manifest.name.replace(present.scope, given.scope))
    if (!renamed.private) assert.deepEqual(factFaults(name, renamed, facts), [])
  }
  const links = [...trackedTexts(folder)].flatMap(
    ({ text }) => text.match(/github\.com\/[\w-]+\/dex-token-broker/g) ?? [],
  )
  assert.ok(links.length > 0)
  assert.deepEqual([...new Set(links)], ['github.com/Acme-Labs/dex-token-broker'])
  const deployment = readFileSync(path.join(folder, 'deploy/kubernetes/base/deployment.yaml'), 'utf8')
  assert.match(deployment, /image: ghcr\.io\/acme-labs\/dex-token-broker:\d/)

  const only = ['--filter', `${given.scope}/core`]
  const options = ['--frozen-lockfile', '--prefer-offline', '--ignore-scripts']
  for (const command of [
    [...only, 'install', ...options],
    [...only, 'run', 'build'],
  ]) {
    const { exitCode, output } = await runCommand('pnpm', command, { cwd: folder })
    assert.equal(exitCode, 0, output)
  }
})

test('names that cannot be are refused with a sentence', () => {
  const faultOf = changes => newFacts(present, { ...given, ...changes }).fault
  assert.equal(faultOf({}), undefined)
  assert.match(faultOf({ owner: undefined }), /^Usage/)
  assert.match(faultOf({ owner: 'a/b' }), /a\/b cannot be the owner/)
  assert.match(faultOf({ owner: ownerPlaceholder }), /is the placeholder/)
  assert.match(faultOf({ scope: 'acme' }), /acme cannot be the scope/)
  assert.match(faultOf({ image: 'ghcr.io/Acme/image' }), /cannot be the image/)
  assert.match(faultOf({ 'chart-repository': 'oci://ghcr.io/acme' }), /cannot be the chartRepository/)
})

test('only whole names are replaced', () => {
  const { facts } = newFacts(present, given)
  const replaced = text => replaceNames(text, present, facts)
  const [owner, scope] = [ownerPlaceholder, present.scope]
  const repository = `${present.owner}/${present.repository}`
  for (const text of [`raw.githubusercontent.com/${repository}/main`, `--repo ${repository} --file`]) {
    assert.equal(replaced(text), text.replace(present.owner, 'Acme-Labs'))
  }
  assert.equal(replaced(`'${scope}/core'`), "'@acme-labs/core'")
  assert.equal(replaced(`node_modules/${scope}`), 'node_modules/@acme-labs')
  assert.equal(replaced(`${scope}%2fcore (?!${scope}|jose)`), '@acme-labs%2fcore (?!@acme-labs|jose)')
  assert.equal(replaced(`ada${scope}.example ${scope}age/x`), `ada${scope}.example ${scope}age/x`)
  assert.equal(
    replaced(`GITHUB_REPOSITORY_${owner} CODE${owner}S`),
    `GITHUB_REPOSITORY_${owner} CODE${owner}S`,
  )
  assert.equal(
    replaced(`https://github.com/${owner}/dex-token-broker/blob`),
    'https://github.com/Acme-Labs/dex-token-broker/blob',
  )
})

test('a release from another repository is refused, and so is a placeholder that came later', context => {
  const folder = mkdtempSync(path.join(realpathSync(tmpdir()), 'owner-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  execFileSync('git', ['init', '--quiet', folder])
  const { facts } = newFacts(present, { ...given, scope: scopePlaceholder })
  const write = decided =>
    writeFileSync(path.join(folder, 'release.json'), JSON.stringify({ ...facts, decided }))
  writeFileSync(path.join(folder, 'README.md'), `${ownerPlaceholder} ${scopePlaceholder}\nnot published yet`)

  write(false)
  assert.match(ownerFaults(folder, undefined).join('\n'), /is not decided/)
  const texts = () =>
    placeholdersLeft(folder)
      .filter(({ name }) => name === 'README.md')
      .map(({ text }) => text)
  assert.deepEqual(texts(), [scopePlaceholder, 'published yet'])

  write(true)
  assert.match(ownerFaults(folder, 'another/fork').join('\n'), /another\/fork.*Acme-Labs\/dex-token-broker/)
  assert.deepEqual(ownerFaults(folder, 'Acme-Labs/dex-token-broker'), [])
  // It was decided that the scope stays.
  assert.deepEqual(texts(), [ownerPlaceholder, 'published yet'])
})
