import { parentPort, workerData } from 'node:worker_threads'
import { seededRandom } from '@broker/testing'
import { BlockCoverage, type FileCoverage } from './block-coverage.ts'
import { corpusOf } from './corpus.ts'
import { judged } from './judged.ts'
import { mutated } from './mutation.ts'
import { SharedInput } from './shared-input.ts'
import { shortened } from './shortened.ts'
import type { Target } from './target.ts'

export interface FuzzWork {
  readonly target: string
  /** The URL of the module with the target. */
  readonly module: string
  readonly sources: readonly string[]
  readonly seed: number
  readonly durationMs: number
  readonly input: SharedArrayBuffer
}

/** What a thread ends with. */
export interface FuzzResult {
  readonly runs: number
  /** Inputs that reached something new. */
  readonly pool: number
  readonly coverage: readonly FileCoverage[]
  readonly failure?: { readonly input: Uint8Array; readonly problem: string }
}

/** Inputs between two looks at the coverage. */
const batchSize = 50
/** Inputs that reached something new; later ones replace random ones. */
const maxPool = 400

const { target: name, module, sources, seed, durationMs, input: memory } = workerData as FuzzWork
await using coverage = await BlockCoverage.start(sources)
// Loads the parser, whose coverage has begun.
const { targets } = (await import(module)) as { readonly targets: readonly Target[] }
const target = found(targets)
const random = seededRandom(seed)
const current = new SharedInput(memory)
const pool = [
  ...target.seeds.map(each => Buffer.from(each as Uint8Array)),
  ...corpusOf(target).map(each => each.input),
]
const first = pool.length
let runs = 0

parentPort?.postMessage(await fuzz())

async function fuzz(): Promise<FuzzResult> {
  for (const input of pool) {
    const problem = await run(input)
    if (problem !== undefined) return await failed(input, problem)
  }
  await coverage.newBlocks()
  const endsAt = performance.now() + durationMs
  while (performance.now() < endsAt) {
    const batch = Array.from({ length: batchSize }, () => mutated(target, pool, random))
    for (const input of batch) {
      const problem = await run(input)
      if (problem !== undefined) return await failed(input, problem)
    }
    const fresh = await coverage.newBlocks()
    if (fresh.size > 0) await learnFrom(batch, new Set(fresh))
  }
  return { runs, pool: pool.length, coverage: coverage.report() }
}

/** Looks which inputs of a batch reached something new: most batches have none. */
async function learnFrom(batch: readonly Buffer[], fresh: Set<string>): Promise<void> {
  for (const input of batch) {
    if (fresh.size === 0) return
    await run(input)
    const ran = await coverage.ranOf(fresh)
    if (ran.size === 0) continue
    for (const block of ran) fresh.delete(block)
    if (pool.length < maxPool) pool.push(input)
    else pool[first + Math.floor(random() * (maxPool - first))] = input
  }
}

function found(targets: readonly Target[]): Target {
  const match = targets.find(each => each.name === name)
  if (match === undefined) throw new TypeError(`no target ${name}`)
  return match
}

function run(input: Buffer): Promise<string | undefined> {
  runs += 1
  current.write(input)
  return judged(target, input)
}

async function failed(input: Buffer, problem: string): Promise<FuzzResult> {
  const short = await shortened(input, async shorter => (await run(shorter)) !== undefined)
  const failure = { input: short, problem: (await run(short)) ?? problem }
  return { runs, pool: pool.length, coverage: [], failure }
}
