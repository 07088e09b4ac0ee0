// Feeds mutated inputs to every parser: node fuzz/src/fuzz.ts [--seconds=60] [--seed=<number>] [--target=<name>] [--coverage]
// Judges one input again: node fuzz/src/fuzz.ts --target=<name> --input=<file>
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { repository } from './block-coverage.ts'
import { keep } from './corpus.ts'
import { fuzzTarget } from './fuzz-target.ts'
import type { FuzzResult } from './fuzz-worker.ts'
import { judged } from './judged.ts'
import type { Target } from './target.ts'
import { targetNamed, targets } from './targets.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    target: { type: 'string' },
    input: { type: 'string' },
    coverage: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
if (!(seconds > 0) || !Number.isInteger(seed)) throw new TypeError('--seconds and --seed are numbers')
const chosen = values.target === undefined ? targets : [targetNamed(values.target)]

if (values.input === undefined) await fuzzAll()
else await judgeAgain(values.input)

async function judgeAgain(file: string): Promise<void> {
  const [target] = chosen
  if (target === undefined || chosen.length > 1) throw new TypeError('--input needs --target')
  const problem = await judged(target, readFileSync(file))
  console.log(problem ?? `${target.name}: holds`)
  if (problem !== undefined) process.exitCode = 1
}

async function fuzzAll(): Promise<void> {
  console.log(`seed ${seed}`)
  const threads = Math.min(2, availableParallelism(), chosen.length)
  const durationMs = (seconds * 1_000 * threads) / chosen.length
  const waiting = [...chosen]
  const work = async () => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      report(target, await fuzzTarget(target, { seed, durationMs }))
    }
  }
  await Promise.all(Array.from({ length: threads }, work))
}

function report(target: Target, { runs, pool, coverage, failure }: FuzzResult): void {
  if (failure !== undefined) {
    process.exitCode = 1
    const file = path.relative(repository, keep(target, Buffer.from(failure.input)))
    console.log(`${target.name}: ${failure.problem}`)
    console.log(
      `  after ${runs} inputs with --seed=${seed}; again: node fuzz/src/fuzz.ts --target=${target.name} --input=${file}`,
    )
    console.log(`  base64 of the input: ${Buffer.from(failure.input).subarray(0, 1_024).toString('base64')}`)
    return
  }
  const blocks = coverage.reduce((sum, each) => sum + each.blocks, 0)
  const reached = coverage.reduce((sum, each) => sum + each.reachedBlocks, 0)
  console.log(`${target.name}: ${runs} inputs, ${pool} kept, ${reached} of ${blocks} blocks reached`)
  if (!values.coverage) return
  for (const { file, blocks, reachedBlocks, missedLines } of coverage) {
    const missed = missedLines.length === 0 ? '' : `; not reached: lines ${missedLines.join(', ')}`
    console.log(`  ${file}: ${reachedBlocks} of ${blocks}${missed}`)
  }
}
