// Packs every public package as it would be published and looks at the tarball, not at the folder: what counts is what
// users install. Needs a build.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readReleaseFacts } from '../release/release-facts.mjs'
import { runCommand } from '../workspace/run-command.mjs'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'
import { filesUnder, tarballFaults } from './tarball-faults.mjs'

// Also for moduleResolution node10; there is no CommonJS build, and Node's require needs none.
const typesEverywhere = ['--profile', 'strict', '--ignore-rules', 'cjs-resolves-to-esm']

const facts = readReleaseFacts()
const workFolder = await mkdtemp(path.join(await realpath(tmpdir()), 'packaging-'))
try {
  for (const { folder, manifest } of workspacePackages()) {
    if (manifest.private) continue
    const { faults, summary } = await inspectPackage(folder)
    console.log(`${manifest.name}: ${faults.length === 0 ? `ok, ${summary}` : `${faults.length} fault(s)`}`)
    for (const fault of faults) console.log(`  ${fault.trimEnd().replaceAll('\n', '\n  ')}`)
    if (faults.length > 0) process.exitCode = 1
  }
} finally {
  await rm(workFolder, { recursive: true, force: true })
}

async function inspectPackage(folder) {
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
  const faults = [
    ...tarballFaults(contents, { root, folder, facts }),
    ...(await faultsFoundBy('publint', ['run', tarball, '--strict'])),
    ...(await faultsFoundBy('attw', [tarball, ...typesEverywhere, '--no-definitely-typed'])),
  ]
  return { faults, summary: `${filesUnder(contents).length} files` }
}

async function faultsFoundBy(command, args) {
  const { exitCode, output } = await runCommand(command, args)
  return exitCode === 0 ? [] : [`${command} says:\n${output}`]
}
