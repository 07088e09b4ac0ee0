// Raises the versions (`pnpm version-packages`): changesets writes package.json and the changelogs, and what else names the
// version follows: core's constant, the manifests and guides, the chart.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'
import { raiseNamedVersions } from './named-versions.mjs'
import { changesetFaults, isFirstRelease, pendingChangesets } from './pending-changesets.mjs'

const published = () => workspacePackages().filter(({ manifest }) => !manifest.private)
const isFirst = isFirstRelease(root)

const faults = changesetFaults(root)
if (faults.length > 0) {
  for (const fault of faults) console.error(fault)
  process.exit(1)
}
if (isFirst) dropUnreleasedChangesets()
// Without one it fails, and so would every check between the pull request with the versions and the next changeset.
if (pendingChangesets(root).length > 0)
  execFileSync('changeset', ['version'], { cwd: root, stdio: 'inherit' })
if (isFirst) removeHeadingsOfBumps()
execFileSync(process.execPath, ['scripts/packaging/write-version.mjs'], { cwd: root, stdio: 'inherit' })
const [{ manifest }] = published()
raiseNamedVersions(root, manifest.version)
console.log(`version ${manifest.version}`)

/** Nobody has a version to upgrade from: the first changelog says what a package is, not how it became so. */
function dropUnreleasedChangesets() {
  for (const { id, printed } of pendingChangesets(root)) {
    if (!printed) rmSync(path.join(root, '.changeset', `${id}.md`))
  }
}

function removeHeadingsOfBumps() {
  for (const { folder } of published()) {
    if (!readdirSync(path.join(root, folder)).includes('CHANGELOG.md')) continue
    const file = path.join(root, folder, 'CHANGELOG.md')
    writeFileSync(file, readFileSync(file, 'utf8').replace(/\n### Minor Changes\n/, ''))
  }
}
