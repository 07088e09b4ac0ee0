import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { skippedLines, testReports } from './test-reports.mjs'

/** A report as vitest writes it, with one test for each status or for each list of what a skipped one needs. */
function report(...tests) {
  const assertionResults = tests.map(one =>
    typeof one === 'string' ? { status: one, meta: {} } : { status: 'skipped', meta: { needs: one } },
  )
  const count = status => assertionResults.filter(result => result.status === status).length
  const counts = { numPassedTests: count('passed'), numFailedTests: count('failed'), numTodoTests: 0 }
  return {
    ...counts,
    numPendingTests: count('skipped'),
    testResults: [{ status: 'passed', assertionResults }],
  }
}

/** The reports of one package with these files in `.reports`. */
function reportsOf(context, files, scripts = { test: 'vitest run' }) {
  const root = mkdtempSync(path.join(tmpdir(), 'test-reports-'))
  context.after(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(path.join(root, 'part', '.reports'), { recursive: true })
  for (const [file, content] of Object.entries(files)) {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    writeFileSync(path.join(root, 'part', '.reports', file), text)
  }
  return testReports(root, [{ folder: 'part', manifest: { name: '@broker/part', scripts } }])
}

test('each task that runs tests is counted by its own report', context => {
  const reports = reportsOf(
    context,
    {
      'vitest.json': report('passed', 'passed', ['DEX_BIN']),
      'vitest-faults.json': report('passed', 'failed'),
    },
    { build: 'tsc', test: 'vitest run', 'test:faults': 'vitest run' },
  )
  assert.deepEqual(
    reports.map(({ task, passed, failed, skipped }) => [task, passed, failed, skipped]),
    [
      ['test', 2, 0, 1],
      ['test:faults', 1, 1, 0],
    ],
  )
})

test('a report that is missing, broken or empty is a failure, never a zero', context => {
  for (const [files, problem] of [
    [{}, /left no report/],
    [{ 'vitest.json': '{' }, /cannot be read/],
    [{ 'vitest.json': '{}' }, /no counts/],
    [{ 'vitest.json': report() }, /has no tests/],
  ]) {
    const [only] = reportsOf(context, files)
    assert.equal(only.failed, 1)
    assert.match(only.problem, problem)
  }
})

test('a file that did not load is a failure', context => {
  const broken = report('passed')
  broken.testResults.push({ status: 'failed', assertionResults: [] })
  assert.equal(reportsOf(context, { 'vitest.json': broken })[0].failed, 1)
})

test('what was skipped is told by what was missing, with the command that runs it', () => {
  const lines = skippedLines([
    {
      name: '@broker/e2e',
      skippedNeeding: [['ENVOY_BIN'], ['ENVOY_BIN'], ['PEER_BIN', 'ENVOY_BIN'], ['DEX_BIN']],
    },
    { name: '@broker/dev-dex', skippedNeeding: [['DEX_BIN'], ['DEX_BIN'], ['openssl'], []] },
  ])
  assert.deepEqual(lines, [
    'Skipped: 8 tests.',
    '  3 tests without DEX_BIN (a real Dex). To run them:',
    '    DEX_BIN=/path/to/dex npm test -- --filter=@broker/dev-dex --filter=@broker/e2e',
    '  2 tests without ENVOY_BIN (a real Envoy). To run them:',
    '    ENVOY_BIN=/path/to/envoy npm test -- --filter=@broker/e2e',
    '  1 test without ENVOY_BIN (a real Envoy) and PEER_BIN (the Go service DexTokenBroker). To run them:',
    '    ENVOY_BIN=/path/to/envoy PEER_BIN=/path/to/dex-token-broker npm test -- --filter=@broker/e2e',
    '  1 test without openssl (on the PATH). To run them:',
    '    npm test -- --filter=@broker/dev-dex',
    '  1 test in @broker/dev-dex: not for this machine or setting',
  ])
})

test('a need that nobody described fails instead of being told wrongly', () => {
  assert.throws(() => skippedLines([{ name: '@broker/e2e', skippedNeeding: [['SOMETHING']] }]), TypeError)
})

test('when every test ran, nothing is said', () => {
  assert.deepEqual(skippedLines([{ name: '@broker/e2e', skippedNeeding: [] }]), [])
})
