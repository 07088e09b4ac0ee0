// Finds phrases and sentences that are hard to read, in everything that a person reads: Markdown, comments, strings.
// `node scripts/docs/prose.mjs [file or folder ...]` checks the working tree of the current folder, or a part of it.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { proseFindings } from './prose-findings.mjs'

/** Texts for users, operators and maintainers. The packages' own tests are left out: only developers read them. */
const readableFiles = [
  /\.md$/,
  /^packages\/[^/]+\/src\/.*\.[cm]?[jt]s$/,
  /^(?:bench|e2e|examples|scripts|deploy)\/.*\.(?:[cm]?[jt]s|ya?ml|sh|lua)$/,
  /(?:^|\/)Dockerfile$/,
  /(?:^|\/)package\.json$/,
  /^biome\.json$/,
  /^\.github\/.*\.ya?ml$/,
  /^\.env\.example$/,
  /^\.ci\/run$/,
]

const root = git(process.cwd(), 'rev-parse', '--show-toplevel').trim()
const chosen = process.argv
  .slice(2)
  .map(name => path.relative(root, path.resolve(name)).replaceAll('\\', '/'))
const isChosen = file =>
  chosen.length === 0 || chosen.some(name => name === '' || file === name || file.startsWith(`${name}/`))

const files = git(root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard')
  .split('\0')
  .filter(file => readableFiles.some(pattern => pattern.test(file)))
  .filter(file => isChosen(file) && existsSync(path.join(root, file)))
  .sort()

let count = 0
for (const file of files) {
  for (const { line, phrase, advice } of proseFindings(file, readFileSync(path.join(root, file), 'utf8'))) {
    console.error(`${file}:${line}: ${phrase} -> ${advice}`)
    count += 1
  }
}
if (count > 0) {
  console.error(
    `\n${count} ${count === 1 ? 'phrase' : 'phrases'} to rewrite; ${files.length} files were read`,
  )
  process.exitCode = 1
} else console.log(`${files.length} files read well`)

function git(cwd, ...args) {
  return execFileSync('git', args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}
