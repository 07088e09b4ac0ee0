// Reads vitest's report of each package: counts, and skipped tests by the need that was not met.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** Needs of tests (`needs` in packages/testing), by the variable that names them. */
const needed = {
  ENVOY_BIN: { what: 'a real Envoy', variable: 'ENVOY_BIN=/path/to/envoy' },
  ENVOY_GATEWAY_BIN: { what: 'Envoy Gateway', variable: 'ENVOY_GATEWAY_BIN=/path/to/envoy-gateway' },
  DEX_BIN: { what: 'a real Dex', variable: 'DEX_BIN=/path/to/dex' },
  PEER_BIN: { what: 'the Go service DexTokenBroker', variable: 'PEER_BIN=/path/to/dex-token-broker' },
  KUBE_APISERVER_BIN: {
    what: 'a real kube-apiserver',
    variable: 'KUBE_APISERVER_BIN=/path/to/kube-apiserver',
  },
  ETCD_BIN: { what: 'etcd, its storage', variable: 'ETCD_BIN=/path/to/etcd' },
  CRDS_DIR: {
    what: 'CRDs of Envoy Gateway and the Gateway API',
    variable: 'CRDS_DIR=/path/to/folder',
  },
  HELM_BIN: { what: 'Helm', variable: 'HELM_BIN=/path/to/helm' },
  KUSTOMIZE_BIN: { what: 'kustomize', variable: 'KUSTOMIZE_BIN=/path/to/kustomize' },
  PROMTOOL_BIN: { what: 'promtool of Prometheus', variable: 'PROMTOOL_BIN=/path/to/promtool' },
  REDIS_SERVER_BIN: {
    what: 'a real Redis or Valkey',
    variable: 'REDIS_SERVER_BIN=/path/to/redis-server',
  },
  TOFU_BIN: { what: 'a real OpenTofu', variable: 'TOFU_BIN=/path/to/tofu' },
  CHROMIUM_BIN: { what: 'a real Chromium', variable: 'CHROMIUM_BIN=/path/to/chromium' },
  openssl: { what: 'on the PATH' },
  bash: { what: 'on the PATH' },
  zsh: { what: 'on the PATH' },
  fish: { what: 'on the PATH' },
  kubectl: { what: 'on the PATH' },
}

/** One entry for each task that runs tests: `test` of a package, and whatever `test:...` it has. */
export function testReports(root, packages) {
  return packages.flatMap(({ folder, manifest }) =>
    Object.keys(manifest.scripts ?? {})
      .filter(task => task === 'test' || task.startsWith('test:'))
      .map(task => ({ name: manifest.name, task, ...readReport(path.join(root, folder), task) })),
  )
}

/** The task `test` leaves `.reports/vitest.json`, `test:faults` leaves `.reports/vitest-faults.json`. */
function readReport(folder, task) {
  const reportFile = path.join(folder, '.reports', `${task.replace('test', 'vitest').replace(':', '-')}.json`)
  const failedToReport = problem => ({ passed: 0, failed: 1, skipped: 0, skippedNeeding: [], problem })
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
    const skippedNeeding = report.testResults
      .flatMap(file => file.assertionResults)
      .filter(test => test.status !== 'passed' && test.status !== 'failed')
      .map(test => test.meta?.needs ?? [])
    return { ...counts, failed: counts.failed + brokenFiles.length, skippedNeeding }
  } catch (error) {
    return failedToReport(`its report cannot be read: ${error.message}`)
  }
}

/** Lines that say how many tests were skipped for want of what, and the command that runs them; none when all ran. */
export function skippedLines(reports) {
  const groups = new Map()
  for (const { name, skippedNeeding } of reports) {
    for (const needs of skippedNeeding) {
      const key = [...needs].sort().join(' ')
      const group = groups.get(key) ?? { needs: key === '' ? [] : key.split(' '), count: 0, names: new Set() }
      group.count += 1
      group.names.add(name)
      groups.set(key, group)
    }
  }
  if (groups.size === 0) return []
  const total = [...groups.values()].reduce((sum, { count }) => sum + count, 0)
  const byCount = [...groups.values()].sort((one, other) => other.count - one.count)
  return [`Skipped: ${testsOf(total)}.`, ...byCount.flatMap(linesOfGroup)]
}

function linesOfGroup({ needs, count, names }) {
  const packages = [...names].sort()
  if (needs.length === 0)
    return [`  ${testsOf(count)} in ${packages.join(', ')}: not for this machine or setting`]
  const what = needs.map(need => `${need} (${needed[need].what})`).join(' and ')
  const variables = needs.flatMap(need => needed[need].variable ?? [])
  const command = [...variables, 'npm test --', ...packages.map(name => `--filter=${name}`)].join(' ')
  return [`  ${testsOf(count)} without ${what}. To run them:`, `    ${command}`]
}

function testsOf(count) {
  return count === 1 ? '1 test' : `${count} tests`
}
