import { Worker } from 'node:worker_threads'
import type { FuzzResult, FuzzWork } from './fuzz-worker.ts'
import { SharedInput } from './shared-input.ts'
import { defaultMaxBytes, type Target } from './target.ts'

export interface FuzzOptions {
  readonly seed: number
  readonly durationMs: number
  /** The URL of a module that exports `targets`, this one among them. Default: the targets of the product. */
  readonly module?: string
  /** How long a thread may be busy with one input. Default: 30 s, far beyond any limit of CPU time, also on a machine with much else to do. */
  readonly hangMs?: number
}

/** Memory of a thread, in MiB; the parsers and their references take less than 100. */
const maxHeapMiB = 384

/** Runs one target in a separate thread, so that it also finds an input that hangs or takes all memory. */
export async function fuzzTarget(
  target: Target,
  { seed, durationMs, module = new URL('targets.ts', import.meta.url).href, hangMs = 30_000 }: FuzzOptions,
): Promise<FuzzResult> {
  const memory = SharedInput.memory(
    Math.max(target.maxBytes ?? defaultMaxBytes, ...target.seeds.map(each => Buffer.byteLength(each))),
  )
  const current = new SharedInput(memory)
  const workerData: FuzzWork = {
    target: target.name,
    module,
    sources: target.sources,
    seed,
    durationMs,
    input: memory,
  }
  const worker = new Worker(new URL('fuzz-worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB },
  })
  let lastCount = -1
  const { promise, resolve } = Promise.withResolvers<FuzzResult>()
  const lost = (problem: string) =>
    resolve({ runs: current.count, pool: 0, coverage: [], failure: { input: current.read(), problem } })
  const watch = setInterval(() => {
    if (current.count === lastCount) lost(`took more than ${hangMs / 1_000} s`)
    lastCount = current.count
  }, hangMs)
  worker.once('message', resolve)
  worker.once('error', error => lost(error instanceof Error ? (error.stack ?? error.message) : String(error)))
  worker.once('exit', code => lost(`ended its thread (exit code ${code})`))
  try {
    return await promise
  } finally {
    clearInterval(watch)
    await worker.terminate()
  }
}
