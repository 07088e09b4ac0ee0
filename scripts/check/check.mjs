// Everything that CI checks besides `npm test`. One line per step, and the output of those that fail.
// --counts-file <file> leaves `<passed> <failed>` there: the tests of the scripts by number, every other step as one.
import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { runCommand } from '../workspace/run-command.mjs'
import { root, workspacePackages } from '../workspace/workspace-packages.cjs'

const { values: options } = parseArgs({ options: { 'counts-file': { type: 'string' } } })

const scriptTests = readdirSync(path.join(root, 'scripts'), { recursive: true })
  .filter(file => file.endsWith('.test.mjs'))
  .map(file => path.join('scripts', file))
// The quickstart serves until it is stopped; `npm start -- --once` is its check.
const examples = workspacePackages().filter(
  ({ folder, manifest }) =>
    folder.startsWith('examples/') && folder !== 'examples/quickstart' && manifest.scripts?.start,
)

const steps = [
  { name: 'lint', command: 'biome', args: ['check', '.'] },
  { name: 'build', command: 'turbo', args: ['run', 'build', '--log-prefix=none'] },
  { name: 'types', command: 'turbo', args: ['run', 'types', '--log-prefix=none', '--continue'] },
  {
    name: 'tests of the scripts',
    command: process.execPath,
    args: ['--test', '--test-reporter=tap', ...scriptTests],
    countsOf: nodeTestCounts,
  },
  { name: 'real time in tests', command: process.execPath, args: ['scripts/check/real-time-in-tests.mjs'] },
  { name: 'generated protos', command: process.execPath, args: ['scripts/protobuf/protobuf.mjs'] },
  { name: 'docs', command: process.execPath, args: ['scripts/docs/docs.mjs'] },
  { name: 'prose', command: process.execPath, args: ['scripts/docs/prose.mjs'] },
  { name: 'hover text', command: process.execPath, args: ['scripts/check/hover-text.mjs'] },
  { name: 'release facts', command: process.execPath, args: ['scripts/release/package-facts.mjs'] },
  { name: 'packaging', command: process.execPath, args: ['scripts/packaging/packaging.mjs'] },
  { name: 'image', command: process.execPath, args: ['scripts/image/image-files.mjs'] },
  { name: 'cost of a check', command: process.execPath, args: ['bench/src/guard.ts'] },
  { name: 'packaging proof', command: process.execPath, args: ['scripts/packaging/packaging-proof.mjs'] },
  { name: 'release dry run', command: process.execPath, args: ['scripts/release/dry-run.mjs'] },
  { name: 'Next.js', command: process.execPath, args: ['scripts/packaging/next-proof.mjs'] },
  { name: 'toolchains', command: process.execPath, args: ['scripts/packaging/toolchains-proof.mjs'] },
  ...examples.map(({ folder }) => ({
    name: folder,
    command: 'pnpm',
    args: ['run', 'start'],
    cwd: path.join(root, folder),
  })),
  // One seed, so that a run tells about the change and not about its luck; the workflow `security` takes others, and longer.
  {
    name: 'fuzzing for a minute',
    command: process.execPath,
    args: ['fuzz/src/fuzz.ts', '--seconds=60', '--seed=1'],
  },
  { name: 'soak of one minute', command: process.execPath, args: ['e2e/soak/soak.ts', '--minutes=1'] },
]

const total = { passed: 0, failed: 0 }
for (const step of steps) {
  const startedAt = performance.now()
  const { exitCode, output } = await runStep(step)
  const counts = countsOf(step, exitCode, output)
  total.passed += counts.passed
  total.failed += counts.failed

  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const detail = step.countsOf ? `  ${counts.passed} passed, ${counts.failed} failed` : ''
  console.log(`${exitCode === 0 ? 'ok    ' : 'failed'}  ${step.name}  (${seconds} s)${detail}`)
  if (exitCode !== 0) console.log(`\n${output.trimEnd()}\n`)
}

console.log(`\n${total.passed} passed, ${total.failed} failed`)
if (options['counts-file']) writeFileSync(options['counts-file'], `${total.passed} ${total.failed}\n`)
if (total.failed > 0) process.exitCode = 1

async function runStep({ command, args, cwd }) {
  try {
    return await runCommand(command, args, { cwd })
  } catch (error) {
    return { exitCode: 1, output: `${command} could not be run: ${error.message}` }
  }
}

function countsOf(step, exitCode, output) {
  const counts = step.countsOf?.(output) ?? { passed: exitCode === 0 ? 1 : 0, failed: 0 }
  // A step that failed without a failure to count still failed.
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

function nodeTestCounts(output) {
  const numberOf = name => Number(output.match(new RegExp(`^# ${name} (\\d+)$`, 'm'))?.[1] ?? 0)
  return { passed: numberOf('pass'), failed: numberOf('fail') + numberOf('cancelled') }
}
