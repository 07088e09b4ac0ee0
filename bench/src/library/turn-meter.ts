import { setImmediate as nextTurn } from 'node:timers/promises'

/** The longest turn of the event loop. */
export interface LongestTurn {
  readonly wallMs: number
  /** CPU time of the main thread in the turn that had most of it: other programs do not disturb it. */
  readonly cpuMs: number
}

/** Does one piece of work in each turn of the event loop until there is none left, and watches how long turns take. */
export async function longestTurn(work: () => Promise<boolean> | boolean): Promise<LongestTurn> {
  let wallMs = 0
  let cpuMs = 0
  let wallBefore = performance.now()
  let cpuBefore = threadCpuMs()
  for (let more = true; more; ) {
    more = await work()
    await nextTurn()
    const wall = performance.now()
    const cpu = threadCpuMs()
    wallMs = Math.max(wallMs, wall - wallBefore)
    cpuMs = Math.max(cpuMs, cpu - cpuBefore)
    wallBefore = wall
    cpuBefore = cpu
  }
  return { wallMs, cpuMs }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
