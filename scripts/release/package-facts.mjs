// Compares the published packages with release.json: repository, homepage, bugs, keywords, license, engines, access.
// With --write it writes them.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { runCommand } from '../workspace/run-command.mjs'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'
import { factFaults, manifestFields, readReleaseFacts } from './release-facts.mjs'

const facts = readReleaseFacts()
const published = workspacePackages().filter(({ manifest }) => !manifest.private)

if (process.argv.includes('--write')) {
  const files = published.map(({ folder, manifest }) => {
    const file = path.join(root, folder, 'package.json')
    writeFileSync(file, `${JSON.stringify(withFacts(folder, manifest), null, 2)}\n`)
    return file
  })
  const { exitCode, output } = await runCommand('biome', ['format', '--write', ...files])
  if (exitCode !== 0) throw new Error(output)
} else {
  for (const { folder, manifest } of published) {
    for (const fault of factFaults(folder, manifest, facts)) {
      console.error(`${folder}: ${fault}`)
      process.exitCode = 1
    }
  }
  if (process.exitCode)
    console.error('node scripts/release/package-facts.mjs --write takes them from release.json')
  else console.log(`${published.length} packages agree with release.json`)
}

/** New fields come behind the description, where readers look for them; present ones keep their place. */
function withFacts(folder, manifest) {
  const fields = manifestFields(folder, facts)
  const added = Object.keys(fields).filter(field => !(field in manifest))
  return Object.fromEntries(
    Object.entries(manifest).flatMap(([field, value]) => {
      const entry = [field, fields[field] ?? value]
      return field === 'description' ? [entry, ...added.map(name => [name, fields[name]])] : [entry]
    }),
  )
}
