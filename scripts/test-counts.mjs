// Adds up what vitest reported in each package: `npm test` ends with these lines, .ci/run takes its counts from here.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { root, workspacePackages } from './workspace-packages.cjs'

/** One `{ name, passed, failed, skipped, problem? }` per package that has tests. */
export function countTests() {
  return workspacePackages()
    .filter(({ manifest }) => manifest.scripts?.test)
    .map(({ folder, manifest }) => ({ name: manifest.name, ...countsOf(path.join(root, folder)) }))
}

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
    // A file that does not load has no tests to count, and vitest's own exit code would be the only trace of it.
    const brokenFiles = report.testResults.filter(
      file => file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'),
    )
    return { ...counts, failed: counts.failed + brokenFiles.length }
  } catch (error) {
    return failedToReport(`its report cannot be read: ${error.message}`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const counts = countTests()
  const nameWidth = Math.max(...counts.map(({ name }) => name.length))
  for (const { name, passed, failed, skipped, problem } of counts) {
    const text = problem ?? `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`
    console.log(`${name.padEnd(nameWidth)}  ${text}`)
  }
  if (counts.some(({ failed }) => failed > 0)) process.exitCode = 1
}
