// Keeps what the documentation repeats equal to its source: generated pages, snippets of code that runs, and links.
// Without --write it only compares. Needs a build.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { brokerErrorCodes } from '../../packages/core/src/shared/errors.ts'
import { root } from '../workspace/workspace-packages.cjs'
import { answersMarkdown } from './answers-markdown.ts'
import { configurationMarkdown } from './configuration-markdown.ts'
import { envExample } from './env-example.ts'
import { brokenLinks } from './markdown-links.mjs'
import { fillSnippets } from './markdown-snippets.mjs'

const writes = process.argv.includes('--write')
const foldersWithoutDocs = new Set([
  'node_modules',
  'dist',
  '.git',
  '.turbo',
  '.reports',
  '.tools',
  'coverage',
])
const faults = []
const outdated = []

keepEqual('docs/configuration.md', configurationMarkdown())
keepEqual('.env.example', envExample())
keepEqual('docs/errors.md', errorsMarkdown(brokerErrorCodes))
keepEqual('docs/answers.md', answersMarkdown())

const markdownFiles = filesBelow('.').filter(file => file.endsWith('.md'))
for (const file of markdownFiles) {
  const snippets = fillSnippets(readFileSync(path.join(root, file), 'utf8'), root)
  faults.push(...snippets.faults.map(fault => `${file}:${fault}`))
  keepEqual(file, snippets.text)
}
for (const file of markdownFiles) faults.push(...brokenLinks(file, root))

if (writes) for (const file of outdated) console.log(`${file} written`)
else faults.push(...outdated.map(file => `${file} is not up to date: run pnpm docs:write`))
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exitCode = 1
else console.log(`${markdownFiles.length} Markdown files: generated pages, snippets and links are in order`)

function keepEqual(file, text) {
  const fullPath = path.join(root, file)
  if (existsSync(fullPath) && readFileSync(fullPath, 'utf8') === text) return
  outdated.push(file)
  if (writes) writeFileSync(fullPath, text)
}

function errorsMarkdown(codes) {
  const rows = Object.entries(codes).map(
    ([code, { status, description }]) =>
      `| \`${code}\` | ${status} | ${description.replaceAll('|', '\\|')} |`,
  )
  return `# Errors

<!-- Generated from the table in packages/core/src/shared/errors.ts: change the table, not this file. -->

Whatever goes wrong is a \`BrokerError\` with one of these codes. Over HTTP it becomes the status beside it and the body
\`{"error": "<code>", "error_description": "<text that is safe to show>"}\` (RFC 6749 section 5.2).

| Code | Status | When |
| --- | --- | --- |
${rows.join('\n')}

Every 401 carries \`WWW-Authenticate: Bearer\`. A 503 carries \`Retry-After\`: how long to wait, a second when that is
not known. The reason behind an error, which may name hosts and settings, is in the broker's log and never in an answer.
`
}

function filesBelow(folder) {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const name = path.posix.join(folder, entry.name)
    if (entry.isDirectory()) return foldersWithoutDocs.has(entry.name) ? [] : filesBelow(name)
    return entry.isFile() ? [name] : []
  })
}
