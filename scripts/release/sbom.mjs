// Writes an SBOM (CycloneDX 1.6) for each published package, and checks it against the lockfile:
//   node scripts/release/sbom.mjs <folder>
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { isEntryPoint } from '../workspace/is-entry-point.mjs'
import { runCommand } from '../workspace/run-command.mjs'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'

/** Makes one file per package in `target`; resolves with `{ name, file, components, faults }` of each. */
export async function makeSboms(target, { checkout = root } = {}) {
  mkdirSync(target, { recursive: true })
  const lockfile = parse(readFileSync(path.join(checkout, 'pnpm-lock.yaml'), 'utf8'))
  const results = []
  for (const { folder, manifest } of workspacePackages()) {
    if (manifest.private) continue
    const file = path.join(target, `${path.basename(folder)}.cdx.json`)
    const format = ['--sbom-format', 'cyclonedx', '--sbom-spec-version', '1.6', '--prod']
    const args = ['--filter', manifest.name, 'sbom', ...format, '--out', file]
    const { exitCode, output } = await runCommand('pnpm', args, { cwd: checkout })
    if (exitCode !== 0) throw new Error(`pnpm sbom failed for ${manifest.name}\n${output}`)
    const sbom = JSON.parse(readFileSync(file, 'utf8'))
    const { name, version } = JSON.parse(readFileSync(path.join(checkout, folder, 'package.json'), 'utf8'))
    const faults = sbomFaults(sbom, { name, version, expected: productionPackages(lockfile, folder) })
    results.push({ name, file, components: sbom.components.length, faults })
  }
  return results
}

/** Contradictions between an SBOM and its package or the lockfile; `expected` has `name@version` of each dependency. */
export function sbomFaults(sbom, { name, version, expected }) {
  const faults = []
  if (sbom.bomFormat !== 'CycloneDX') faults.push(`its format is ${sbom.bomFormat}`)
  const own = componentId(sbom.metadata.component)
  if (own !== `${name}@${version}`) faults.push(`it is about ${own}, not ${name}@${version}`)
  // Packages of the workspace have their own SBOM, and no version in the lockfile.
  const scope = name.slice(0, name.indexOf('/') + 1)
  const found = new Set(sbom.components.map(componentId).filter(id => !id.startsWith(scope)))
  for (const id of expected) if (!found.has(id)) faults.push(`${id} of the lockfile is missing`)
  for (const id of found) if (!expected.has(id)) faults.push(`${id} is not in the lockfile`)
  for (const component of sbom.components) {
    const id = componentId(component)
    const hasHash = component.externalReferences?.some(({ hashes }) => hashes?.length > 0)
    if (!id.startsWith(scope) && !hasHash) faults.push(`${id} has no hash`)
  }
  return faults
}

/** `name@version` of everything that the package in `folder` needs at run time, itself and its siblings not included. */
export function productionPackages(lockfile, folder) {
  const found = new Set()
  const seen = new Set()
  const visitImporter = name => {
    if (seen.has(name)) return
    seen.add(name)
    const { dependencies = {}, optionalDependencies = {} } = lockfile.importers[name]
    for (const [dependency, { version }] of Object.entries({ ...dependencies, ...optionalDependencies })) {
      if (version.startsWith('link:')) visitImporter(path.posix.join(name, version.slice('link:'.length)))
      else visitSnapshot(dependency, version)
    }
  }
  const visitSnapshot = (name, version) => {
    // An alias has the name of the real package in its version.
    const key = lockfile.snapshots[version] ? version : `${name}@${version}`
    if (seen.has(key)) return
    seen.add(key)
    found.add(key.replace(/\(.*$/, ''))
    const { dependencies = {}, optionalDependencies = {} } = lockfile.snapshots[key]
    for (const [dependency, wanted] of Object.entries({ ...dependencies, ...optionalDependencies })) {
      visitSnapshot(dependency, wanted)
    }
  }
  visitImporter(folder)
  return found
}

function componentId({ group, name, version }) {
  return `${group ? `${group}/` : ''}${name}@${version}`
}

if (isEntryPoint(import.meta)) {
  const [target] = process.argv.slice(2)
  if (!target) {
    console.error('Usage: node scripts/release/sbom.mjs <folder>')
    process.exit(2)
  }
  for (const { name, file, components, faults } of await makeSboms(path.resolve(target))) {
    console.log(`${name}: ${components} components in ${path.relative(process.cwd(), file)}`)
    for (const fault of faults) console.error(`  ${fault}`)
    if (faults.length > 0) process.exitCode = 1
  }
}
