import assert from 'node:assert/strict'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { provenanceFaults } from './provenance.mjs'

for (const [env, isAsked] of [
  [{ PNPM_CONFIG_PROVENANCE: 'true' }, true],
  // The variable of npm, which pnpm ignores.
  [{ NPM_CONFIG_PROVENANCE: 'true' }, false],
  [{}, false],
]) {
  test(`${JSON.stringify(env)} ${isAsked ? 'asks' : 'does not ask'} pnpm for provenance`, async context => {
    const folder = mkdtempSync(path.join(realpathSync(tmpdir()), 'provenance-'))
    context.after(() => rmSync(folder, { recursive: true, force: true }))
    const manifest = { name: '@acme/example', version: '1.0.0', publishConfig: { access: 'public' } }
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest))
    const release = { jobs: { publish: { steps: [{ uses: 'changesets/action/publish@1', env }] } } }
    const faults = await provenanceFaults({ release, folder })
    assert.equal(faults.length, isAsked ? 0 : 1, faults.join('\n'))
  })
}
