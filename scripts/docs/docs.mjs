// Keeps what the documentation repeats equal to its source: generated pages, snippets of code that runs, and links.
// Without --write it only compares. Needs a build.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { targets as fuzzTargets } from '../../fuzz/src/targets.ts'
import { optionRules } from '../../packages/core/src/options/broker-options.ts'
import { brokerErrorCodes } from '../../packages/core/src/shared/errors.ts'
import { fileJsonSchema } from '../../packages/server/src/config/file/json-schema.ts'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'
import { answersMarkdown } from './answers-markdown.ts'
import { chartFiles, chartFolder } from './chart-files.mjs'
import { configurationFileMarkdown } from './configuration-file-markdown.ts'
import { configurationMarkdown } from './configuration-markdown.ts'
import { envExample } from './env-example.ts'
import { errorsMarkdown } from './errors-markdown.mjs'
import { logCalls } from './log-calls.mjs'
import { logGuideFaults, logMarkdown, repairedLogGuide } from './log-markdown.mjs'
import { brokenLinks } from './markdown-links.mjs'
import { fillSnippets } from './markdown-snippets.mjs'
import { metricGuideFaults, metricsMarkdown, ownMetrics } from './metrics-markdown.ts'
import { optionsMarkdown } from './options-markdown.mjs'
import { securityReviewFaults, securityReviewMarkdown } from './security-review-markdown.mjs'
import { toolchainsMarkdown } from './toolchains-markdown.mjs'

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

keepEqual('docs/options.md', optionsMarkdown(optionRules, root))
keepEqual('docs/toolchains.md', toolchainsMarkdown())
keepEqual('docs/configuration.md', configurationMarkdown())
keepEqual('docs/configuration-file.md', fillSnippets(configurationFileMarkdown(), root).text)
keepEqual('packages/server/config.schema.json', `${JSON.stringify(fileJsonSchema(), null, 2)}\n`)
keepEqual('.env.example', envExample())
keepEqual('docs/errors.md', errorsMarkdown(brokerErrorCodes))
keepLogPage()
keepMetricsPage()
keepEqual('docs/answers.md', answersMarkdown())
keepChart()
keepSecurityReview()

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

function keepLogPage() {
  const sources = ['packages/core/src', 'packages/redis-store/src', 'packages/server/src']
    .flatMap(filesBelow)
    .map(file => ({
      file,
      text: readFileSync(path.join(root, file), 'utf8'),
    }))
  const calls = sources.flatMap(({ file, text }) => logCalls(text).map(call => ({ ...call, file })))
  const guide = repairedLogGuide(readJson('scripts/docs/log-guide.json'), calls)
  keepEqual('scripts/docs/log-guide.json', `${JSON.stringify(guide, null, 2)}\n`)
  faults.push(...logGuideFaults(guide, calls, sources.map(({ text }) => text).join('\n')))
  keepEqual('docs/log.md', logMarkdown(guide, calls))
}

function keepMetricsPage() {
  const guide = readJson('scripts/docs/metrics-guide.json')
  const metrics = ownMetrics()
  faults.push(...metricGuideFaults(guide, metrics))
  keepEqual('docs/metrics.md', metricsMarkdown(guide, metrics))
}

function keepChart() {
  const chart = chartFiles(root, fileJsonSchema())
  for (const [name, text] of Object.entries(chart.texts)) keepEqual(`${chartFolder}/${name}`, text)
  faults.push(...chart.faults.map(fault => `${chartFolder}: ${fault}`))
}

function keepSecurityReview() {
  const review = readJson('scripts/docs/security-review.json')
  const found = securityReviewFaults(review, {
    root,
    optionRules,
    fuzzTargets: fuzzTargets.map(({ name }) => name),
    manifests: workspacePackages()
      .map(({ manifest }) => manifest)
      .filter(manifest => !manifest.private),
  })
  faults.push(...found)
  if (found.length === 0)
    keepEqual('docs/security-review.md', securityReviewMarkdown(review, { root, optionRules }))
}

function readJson(file) {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8'))
}

function keepEqual(file, text) {
  const fullPath = path.join(root, file)
  if (existsSync(fullPath) && readFileSync(fullPath, 'utf8') === text) return
  outdated.push(file)
  if (writes) writeFileSync(fullPath, text)
}

function filesBelow(folder) {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const name = path.posix.join(folder, entry.name)
    if (entry.isDirectory()) return foldersWithoutDocs.has(entry.name) ? [] : filesBelow(name)
    return entry.isFile() ? [name] : []
  })
}
