import { defaultMaxCpuMs, type Target } from './target.ts'

/** Judges an input; returns what does not hold, or `undefined`. */
export async function judged(target: Target, input: Buffer): Promise<string | undefined> {
  const limit = target.maxCpuMs ?? defaultMaxCpuMs
  // A copy, because a parser may keep or change what it is given.
  const first = await timed(target, Buffer.from(input))
  if (first.problem !== undefined || first.cpuMs <= limit) return first.problem
  // A collection of garbage or a compilation can fall into any one run, hardly into three.
  const others = [await timed(target, Buffer.from(input)), await timed(target, Buffer.from(input))]
  const cpuMs = Math.min(first.cpuMs, ...others.map(each => each.cpuMs))
  return cpuMs <= limit ? undefined : `took ${cpuMs.toFixed(0)} ms of CPU time for ${input.length} bytes`
}

async function timed(
  target: Target,
  input: Buffer,
): Promise<{ readonly cpuMs: number; readonly problem?: string }> {
  const before = process.threadCpuUsage()
  try {
    const result = target.judge(input)
    if (result instanceof Promise) await result
    const { user, system } = process.threadCpuUsage(before)
    return { cpuMs: (user + system) / 1_000 }
  } catch (error) {
    return { cpuMs: 0, problem: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
