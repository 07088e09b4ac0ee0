// Finds tests that sleep, and tests that a busy machine can fail: calls of a timer, and upper bounds on what a clock of the
// machine says. Where there is no other way, write a reason on the same line or the one above: `// real time: <reason>`.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'

/** The folders of a package with tests and their support. */
const testFolders = ['test', 'faults', 'harness', 'homelab', 'on-call', 'walk']
const reason = /\/\/ real time: \S+ \S+/
const importedTimers = /import\s*\{([^}]*)\}\s*from\s*'(?:node:)?timers(?:\/promises)?'/g
const elapsedBound =
  /expect\((?:(?!expect\()[^;])*?(?:performance\.now|Date\.now|process\.hrtime)\b(?:(?!expect\()[^;])*?\)\s*\.toBeLessThan/g

/** Lists the faults in the text of a test, as `{ line, problem }`, by line. */
export function realTimeFaults(text) {
  const lines = text.split('\n')
  const faults = [
    ...faultsOf(text, callsOf(timerNames(text)), 'a timer'),
    ...faultsOf(text, elapsedBound, 'an upper bound on elapsed time'),
  ]
  return faults
    .filter(({ line }) => !reason.test(lines[line - 1] ?? '') && !reason.test(lines[line - 2] ?? ''))
    .sort((one, other) => one.line - other.line)
}

/** The global ones, and what is imported, by the name that it has here. `setImmediate` waits for no time. */
function timerNames(text) {
  const imported = [...text.matchAll(importedTimers)]
    .flatMap(([, names]) => names.split(','))
    .map(name => name.trim().split(/\s+as\s+/))
    .filter(([name]) => name !== '' && name !== 'setImmediate' && name !== 'scheduler')
  return ['setTimeout', 'setInterval', ...imported.map(names => names.at(-1))]
}

/** A call of one of these names, as a function or as a member of what has timers. */
function callsOf(names) {
  const call = String.raw`(?<![\w.])(?:globalThis\.|timers\.)?(?:${names.join('|')})\(`
  return new RegExp(String.raw`${call}|\b(?:scheduler|Atomics)\.wait\(`, 'g')
}

function faultsOf(text, pattern, problem) {
  return [...text.matchAll(pattern)].map(({ index }) => ({
    line: text.slice(0, index).split('\n').length,
    problem,
  }))
}

function testFiles() {
  return workspacePackages()
    .flatMap(({ folder }) => testFolders.map(name => path.join(folder, name)))
    .filter(folder => existsSync(path.join(root, folder)))
    .flatMap(folder =>
      readdirSync(path.join(root, folder), { recursive: true })
        .filter(file => /\.[cm]?[jt]s$/.test(file))
        .map(file => path.join(folder, file)),
    )
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files = testFiles()
  const faults = files.flatMap(file =>
    realTimeFaults(readFileSync(path.join(root, file), 'utf8')).map(fault => ({ file, ...fault })),
  )
  for (const { file, line, problem } of faults) console.error(`${file}:${line}: ${problem}`)
  if (faults.length > 0) {
    console.error(
      'Wait for an event, count requests or pass a clock in; else say why: // real time: <reason>',
    )
  }
  // None at all would mean that they are looked for in the wrong place.
  if (faults.length > 0 || files.length === 0) process.exitCode = 1
  else console.log(`${files.length} files`)
}
