// The packages of the workspace, read without node_modules: the bootstrap needs them before anything is installed.
const { existsSync, readdirSync, readFileSync } = require('node:fs')
const path = require('node:path')

const root = path.resolve(__dirname, '..', '..')

function readWorkspaceFile() {
  return readFileSync(path.join(root, 'pnpm-workspace.yaml'), 'utf8')
}

/** Every package of the workspace but the root, as `{ folder, manifest }`; `folder` is relative to the root. */
function workspacePackages() {
  const packagesBlock = readWorkspaceFile().match(/^packages:\r?\n((?: +-.*\r?\n)+)/m)?.[1] ?? ''
  const patterns = [...packagesBlock.matchAll(/- +['"]?([^'"\s]+)/g)].map(([, pattern]) => pattern)
  return patterns
    .flatMap(foldersOf)
    .filter(folder => existsSync(path.join(root, folder, 'package.json')))
    .sort()
    .map(folder => ({
      folder,
      manifest: JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8')),
    }))
}

function foldersOf(pattern) {
  if (!pattern.endsWith('/*')) return [pattern]
  const parent = pattern.slice(0, -2)
  if (!existsSync(path.join(root, parent))) return []
  return readdirSync(path.join(root, parent)).map(name => `${parent}/${name}`)
}

module.exports = { root, readWorkspaceFile, workspacePackages }
