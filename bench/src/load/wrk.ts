import { fileURLToPath } from 'node:url'
import { ManagedProcess } from '@broker/testing'
import { processUsage } from '../process-usage.ts'
import type { Load, LoadGenerator, LoadResult } from './load.ts'

const usageIntervalMs = 20
const script = fileURLToPath(new URL('wrk.lua', import.meta.url))

/** wrk with one thread, which is more than a server on one thread can keep busy. */
export function wrk(binary: string): LoadGenerator {
  return { name: 'wrk, 1 thread', run: load => runWrk(binary, load) }
}

async function runWrk(binary: string, load: Load): Promise<LoadResult> {
  const { port, requestsFile, firstRequest, connections, seconds } = load
  await using child = new ManagedProcess('wrk', binary, [
    ...['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`],
    ...['--timeout', '5s', '--script', script],
    `http://127.0.0.1:${port}/check`,
    ...['--', requestsFile, String(firstRequest)],
  ])
  // Nobody can ask about a process that has ended.
  let generatorCpuSeconds = 0
  const timer = setInterval(() => {
    if (!child.hasEnded) generatorCpuSeconds = usageOf(child.pid) ?? generatorCpuSeconds
  }, usageIntervalMs)
  const exitCode = await child.ended()
  clearInterval(timer)
  const line = child.log.split('\n').find(text => text.startsWith('{'))
  if (exitCode !== 0 || line === undefined) throw new Error(`wrk failed (${exitCode}):\n${child.log}`)
  const { requests, durationUs, errors, p50, p99, p999 } = JSON.parse(line) as Record<string, number>
  return {
    requests: requests ?? 0,
    seconds: (durationUs ?? 0) / 1e6,
    errors: errors ?? 1,
    latencyMs: { p50: (p50 ?? 0) / 1000, p99: (p99 ?? 0) / 1000, p999: (p999 ?? 0) / 1000 },
    generatorCpuSeconds,
  }
}

function usageOf(pid: number): number | undefined {
  try {
    return processUsage(pid).cpuSeconds
  } catch {
    return undefined
  }
}
