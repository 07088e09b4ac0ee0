// Adds up what vitest reported in each package: `npm test` ends with these lines, and .ci/run takes its counts from here
// with --counts-file <file>, which leaves `<passed> <failed>` there.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'

const { values: options } = parseArgs({ options: { 'counts-file': { type: 'string' } } })

const counts = workspacePackages()
  .filter(({ manifest }) => manifest.scripts?.test)
  .map(({ folder, manifest }) => ({ name: manifest.name, ...countsOf(path.join(root, folder)) }))
const total = { passed: 0, failed: 0 }
const nameWidth = Math.max(...counts.map(({ name }) => name.length))

for (const { name, passed, failed, skipped, problem } of counts) {
  const text = `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`
  console.log(`${name.padEnd(nameWidth)}  ${problem ?? text}`)
  total.passed += passed
  total.failed += failed
}
if (options['counts-file']) writeFileSync(options['counts-file'], `${total.passed} ${total.failed}\n`)
if (total.failed > 0) process.exitCode = 1

function countsOf(folder) {
  const reportFile = path.join(folder, '.reports', 'vitest.json')
  const failedToReport = problem => ({ passed: 0, failed: 1, skipped: 0, problem })
  if (!existsSync(reportFile)) return failedToReport('its tests left no report')
  try {
    const report = JSON.parse(readFileSync(reportFile, 'utf8'))
    const counts = {
      passed: report.numPassedTests,
      failed: report.numFailedTests,
      skipped: report.numPendingTests + report.numTodoTests,
    }
    if (!Object.values(counts).every(Number.isInteger)) return failedToReport('its report has no counts')
    if (counts.passed + counts.failed + counts.skipped === 0) return failedToReport('it has no tests')
    // A file that does not load has no tests to count, and vitest's own exit code would be the only trace of it.
    const brokenFiles = report.testResults.filter(
      file => file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'),
    )
    return { ...counts, failed: counts.failed + brokenFiles.length }
  } catch (error) {
    return failedToReport(`its report cannot be read: ${error.message}`)
  }
}
