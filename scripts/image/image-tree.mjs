// Makes the files of the container image: what the server needs at run time and nothing else. Needs a checkout, Node.js
// and pnpm. Usage: node scripts/image/image-tree.mjs <folder>, which must not exist yet.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { isEntryPoint } from '../workspace/is-entry-point.mjs'
import { bundleServer } from './bundle-server.mjs'
import { manifestsFolder, noticesFile, thirdPartyPackages, writeThirdParty } from './third-party.mjs'

const server = 'packages/server'
/** The fields of the server's manifest that matter at run time. */
const manifestFields = ['name', 'version', 'description', 'license', 'type', 'engines']

const expectedFile = new RegExp(
  `^(dist/[\\w-]+\\.js|package\\.json|LICENSE|${noticesFile}|${manifestsFolder}/(@[^/]+/)?[^/]+/package\\.json)$`,
)

/** Whether a file belongs into the image; `file` is relative to the image's folder. */
export function belongsIntoImage(file) {
  return expectedFile.test(file)
}

/** Every file below `folder`, relative to it, with `/`. */
export function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
}

async function makeImageTree(target) {
  const pnpm = (...args) => execFileSync('pnpm', args, { stdio: ['ignore', 'inherit', 'inherit'] })
  pnpm('install', '--frozen-lockfile', '--filter', '@broker/server...')
  pnpm('--filter', '@broker/server...', 'run', 'build')
  const modules = await bundleServer(server, path.join(target, 'dist'))
  writeThirdParty(target, thirdPartyPackages(modules))
  const manifest = JSON.parse(readFileSync(path.join(server, 'package.json'), 'utf8'))
  const shown = Object.fromEntries(manifestFields.map(field => [field, manifest[field]]))
  writeFileSync(path.join(target, 'package.json'), `${JSON.stringify(shown, undefined, 2)}\n`)
  copyFileSync('LICENSE', path.join(target, 'LICENSE'))
}

if (isEntryPoint(import.meta)) {
  const [target, ...others] = process.argv.slice(2)
  if (!target || others.length > 0 || existsSync(target)) {
    console.error('Usage: node scripts/image/image-tree.mjs <folder that does not exist yet>')
    process.exit(2)
  }
  process.chdir(path.resolve(import.meta.dirname, '../..'))
  await makeImageTree(path.resolve(target))
}
