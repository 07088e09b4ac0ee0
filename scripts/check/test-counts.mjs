// Adds up what vitest reported in each package: `npm test` ends with these lines, and .ci/run takes its counts from here
// with --counts-file <file>, which leaves `<passed> <failed>` there.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'
import { skippedLines, testReports } from './test-reports.mjs'

const { values: options } = parseArgs({ options: { 'counts-file': { type: 'string' } } })

const reports = testReports(root, workspacePackages())
const total = { passed: 0, failed: 0 }
const titleOf = ({ name, task }) => (task === 'test' ? name : `${name} ${task.slice('test:'.length)}`)
const titleWidth = Math.max(...reports.map(report => titleOf(report).length))

for (const report of reports) {
  const { passed, failed, skipped, problem } = report
  const text = `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`
  console.log(`${titleOf(report).padEnd(titleWidth)}  ${problem ?? text}`)
  total.passed += passed
  total.failed += failed
}
const skipped = skippedLines(reports)
if (skipped.length > 0) console.log(`\n${skipped.join('\n')}`)
if (options['counts-file']) writeFileSync(options['counts-file'], `${total.passed} ${total.failed}\n`)
if (total.failed > 0) process.exitCode = 1
