// A real `pnpm publish` against the registry that the dry run uses: it must refuse what npm refuses.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { runCommand } from '../workspace/run-command.mjs'
import { startLocalRegistry } from './local-registry.mjs'
import { installProject } from './published-project.mjs'

const repositoryUrl = 'https://github.com/acme/example'
const manifest = {
  name: '@acme/example',
  version: '1.0.0',
  main: 'index.js',
  repository: { type: 'git', url: `git+${repositoryUrl}.git` },
  publishConfig: { access: 'public' },
}

test('a package can be published once, and installed', async context => {
  const { registry, folder, publish } = await surroundings(context)
  const published = await publish(manifest)
  assert.equal(published.exitCode, 0, published.output)
  assert.ok(registry.tarballs.has('@acme/example@1.0.0'))

  const again = await publish(manifest, ['--force'])
  assert.notEqual(again.exitCode, 0)
  assert.match(again.output, /cannot publish over/)

  const project = path.join(folder, 'project')
  await installProject(project, { registry: registry.url, scope: '@acme', packages: ['@acme/example@1.0.0'] })
  const installed = JSON.parse(
    readFileSync(path.join(project, 'node_modules/@acme/example/package.json'), 'utf8'),
  )
  assert.equal(installed.version, '1.0.0')
})

for (const [what, changes, status] of [
  ['without repository', { repository: undefined }, 422],
  [
    'of another repository',
    { repository: { type: 'git', url: 'git+https://github.com/acme/another.git' } },
    422,
  ],
  ['that is not public', { publishConfig: undefined }, 402],
]) {
  test(`a package ${what} is refused with ${status}`, async context => {
    const { registry, publish } = await surroundings(context)
    const { exitCode, output } = await publish({ ...manifest, ...changes })
    assert.notEqual(exitCode, 0, output)
    assert.match(output, new RegExp(`${status}`))
    assert.equal(registry.tarballs.size, 0)
  })
}

async function surroundings(context) {
  const folder = mkdtempSync(path.join(realpathSync(tmpdir()), 'registry-'))
  const registry = await startLocalRegistry({ repositoryUrl })
  context.after(async () => {
    await registry.close()
    rmSync(folder, { recursive: true, force: true })
  })
  writeFileSync(path.join(folder, 'index.js'), 'export {}\n')
  const publish = (content, options = []) => {
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify(content))
    const args = ['publish', '--no-git-checks', '--registry', registry.url, ...options]
    return runCommand('pnpm', args, { cwd: folder, env: { GITHUB_ACTIONS: undefined } })
  }
  return { registry, folder, publish }
}
