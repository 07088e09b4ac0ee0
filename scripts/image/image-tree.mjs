// Makes the files of the container image: what the server needs at run time and nothing else. Needs a checkout, Node.js
// and pnpm. Usage: node scripts/image/image-tree.mjs <folder>, which must not exist yet.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { isEntryPoint } from '../workspace/is-entry-point.mjs'

const foldersForDevelopers = [
  'test',
  'tests',
  '__tests__',
  'bench',
  'benchmark',
  'benchmarks',
  'example',
  'examples',
]
const fileForDevelopers = /\.([cm]?ts|tsx|map|tsbuildinfo)$|\.(test|spec)\.[cm]?js$/
const filesOfPnpm = ['pnpm-lock.yaml', 'pnpm-workspace.yaml']

/** Why a file does not belong into the image, or `undefined`; `file` is relative to the image's folder. */
export function reasonToLeaveOut(file) {
  const segments = file.split('/')
  if (filesOfPnpm.includes(file)) return 'a note of pnpm'
  if (segments.some(segment => segment.startsWith('.'))) return 'hidden'
  if (segments.slice(0, -1).some(folder => foldersForDevelopers.includes(folder))) return 'for developers'
  if (fileForDevelopers.test(file)) return 'for developers'
  return undefined
}

/** Every file below `folder`, relative to it, with `/`. */
export function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'))
}

function makeImageTree(target) {
  const pnpm = (...args) => execFileSync('pnpm', args, { stdio: ['ignore', 'inherit', 'inherit'] })
  pnpm('install', '--frozen-lockfile', '--filter', '@broker/server...')
  pnpm('--filter', '@broker/server...', 'run', 'build')
  // Hoisted: real folders instead of links into a store, so that any way to copy them will do.
  pnpm('--filter', '@broker/server', 'deploy', '--prod', '--config.node-linker=hoisted', target)
  for (const file of filesBelow(target)) if (reasonToLeaveOut(file)) rmSync(path.join(target, file))
  removeEmptyFolders(target)
  copyFileSync('LICENSE', path.join(target, 'LICENSE'))
}

function removeEmptyFolders(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyFolders(path.join(folder, entry.name))
  }
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true })
}

if (isEntryPoint(import.meta)) {
  const [target, ...others] = process.argv.slice(2)
  if (!target || others.length > 0 || existsSync(target)) {
    console.error('Usage: node scripts/image/image-tree.mjs <folder that does not exist yet>')
    process.exit(2)
  }
  process.chdir(path.resolve(import.meta.dirname, '../..'))
  makeImageTree(path.resolve(target))
}
