import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

/** The work that blocked the event loop. */
export interface LongestTurn {
  /** The longest turn, in milliseconds by the wall clock. */
  readonly wallMs: number
  /** Garbage collection in that turn. */
  readonly gcMs: number
  /**
   * The longest turn without its garbage collection, as Node tells of it: V8's steps of incremental marking, of up to 4.5 ms, are not
   * among it.
   */
  readonly ownMs: number
  /** How many turns took longer than 5 ms, whatever they did. */
  readonly longTurns: number
}

interface Span {
  readonly from: number
  readonly until: number
}

/** From here on a turn counts as long. */
const longMs = 5
/** Shorter turns hold nobody up. */
const shortMs = 0.5
/** Node tells of a collection some turns after it. */
const gcNewsMs = 50

/** Does one piece of work in each turn of the event loop until there is none left, and watches how long turns take. */
export async function longestTurn(work: () => Promise<boolean> | boolean): Promise<LongestTurn> {
  const collections: Span[] = []
  const observer = new PerformanceObserver(list => {
    for (const { startTime, duration } of list.getEntries()) {
      collections.push({ from: startTime, until: startTime + duration })
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  const turns: Span[] = []
  let from = performance.now()
  for (let more = true; more; ) {
    more = await work()
    await nextTurn()
    const until = performance.now()
    if (until - from > shortMs) turns.push({ from, until })
    from = until
  }
  await sleep(gcNewsMs)
  observer.disconnect()
  const measured = turns.map(turn => {
    const wallMs = turn.until - turn.from
    const gcMs = collections.reduce((sum, collection) => sum + overlapMs(turn, collection), 0)
    return { wallMs, gcMs, ownMs: wallMs - gcMs }
  })
  const none = { wallMs: 0, gcMs: 0, ownMs: 0 }
  const { wallMs, gcMs } = measured.reduce((a, b) => (a.wallMs >= b.wallMs ? a : b), none)
  return {
    wallMs,
    gcMs,
    ownMs: Math.max(0, ...measured.map(({ ownMs }) => ownMs)),
    longTurns: measured.filter(({ wallMs }) => wallMs > longMs).length,
  }
}

function overlapMs(a: Span, b: Span): number {
  return Math.max(0, Math.min(a.until, b.until) - Math.max(a.from, b.from))
}
