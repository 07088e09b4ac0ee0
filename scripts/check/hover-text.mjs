// Every exported name and member of a package has a doc comment, which editors show on hover. Needs a build.
import path from 'node:path'
import { undocumentedExports } from '../docs/undocumented-exports.mjs'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'

for (const { folder, manifest } of workspacePackages()) {
  if (manifest.private) continue
  const missing = undocumentedExports(path.join(root, folder), manifest)
  console.log(`${manifest.name}: ${missing.length === 0 ? 'ok' : `${missing.length} without a doc comment`}`)
  for (const name of missing) console.log(`  ${name}`)
  if (missing.length > 0) process.exitCode = 1
}
