import { type BrokerErrorCode, brokerErrorCodes } from '@broker/core'
import type { Activity } from './activity.ts'
import type { Counters } from './counters.ts'

/** The counters at one moment. */
export interface Observation extends Counters {
  /** In milliseconds since 1970. */
  readonly at: number
  /** Token lookups and evictions since the start. */
  readonly hits: number
  readonly misses: number
  readonly evictions: number
  readonly eventLoopLagMs: number
}

/** How often the counters are noted when nobody looks at the page. */
export const observationIntervalMs = 10_000
/** The span that the page speaks of: long enough for a quiet service, and soon over after a repair. */
const spanMs = 300_000

/**
 * Turns counters, which only grow, into what happened within the last minutes. It looks at the counters now and then, so that a
 * check costs nothing more.
 */
export class RecentActivity {
  /** Ten seconds apart, the oldest first. */
  readonly #kept: Observation[] = []
  #last: Observation | undefined
  #lastCheckAt: number | undefined
  #refusedSince: number | undefined
  #failedSince: number | undefined
  #tlsRefusedSince: number | undefined
  #astraySince: number | undefined
  #faultySince: number | undefined

  note(now: Observation): void {
    const before = this.#last ?? { ...now, checks: {}, tlsRefusals: {}, unknownTargets: 0, configFaults: 0 }
    const seen = differences(now.checks, before.checks)
    const { allowed, refused, failed } = groupsOf(seen)
    if (allowed + refused + failed > 0) this.#lastCheckAt = now.at
    if (total(now.tlsRefusals) > total(before.tlsRefusals)) this.#tlsRefusedSince ??= now.at
    if (now.unknownTargets > before.unknownTargets) this.#astraySince ??= now.at
    if (allowed > 0) this.#refusedSince = this.#failedSince = undefined
    if (refused > 0 && allowed === 0) this.#refusedSince ??= now.at
    if (failed > 0) this.#failedSince ??= now.at
    if (now.configFaults === 0) this.#faultySince = undefined
    else this.#faultySince ??= now.at
    this.#last = now
    this.#keep(now)
    const first = this.#kept[0] ?? now
    if (total(now.tlsRefusals) === total(first.tlsRefusals)) this.#tlsRefusedSince = undefined
    if (now.unknownTargets === first.unknownTargets) this.#astraySince = undefined
  }

  /** Describes the time until the last observation. Throws a `TypeError` without one. */
  status(): Activity {
    const now = this.#last
    const first = this.#kept[0]
    if (now === undefined || first === undefined) throw new TypeError('nothing was observed yet')
    return {
      spanMs: now.at - first.at,
      checks: differences(now.checks, first.checks),
      jwtRefusals: differences(now.jwtRefusals, first.jwtRefusals),
      durations: now.durations.map(({ upToMs, count }, index) => ({
        upToMs,
        count: count - (first.durations[index]?.count ?? 0),
      })),
      lookups: { hits: now.hits - first.hits, misses: now.misses - first.misses },
      evictions: now.evictions - first.evictions,
      tlsRefusals: differences(now.tlsRefusals, first.tlsRefusals),
      unknownTargets: now.unknownTargets - first.unknownTargets,
      droppedLines: now.droppedLines - first.droppedLines,
      eventLoopLagMs: now.eventLoopLagMs,
      totalChecks: total(now.checks),
      configFaults: now.configFaults,
      configLoadedAt: now.configLoadedAt || undefined,
      lastCheckAt: this.#lastCheckAt,
      refusedSince: this.#refusedSince,
      failedSince: this.#failedSince,
      tlsRefusedSince: this.#tlsRefusedSince,
      astraySince: this.#astraySince,
      faultySince: this.#faultySince,
    }
  }

  #keep(now: Observation): void {
    const kept = this.#kept
    // A clock that was set back would keep the others for too long.
    while (kept[0] !== undefined && !isWithin(spanMs, now.at, kept[0])) kept.shift()
    const newest = kept.at(-1)
    if (newest === undefined || now.at - newest.at >= observationIntervalMs) kept.push(now)
  }
}

/** Checks of each group: passed, refused (the caller has to act), failed (the operator or Dex has to act). */
export function groupsOf(checks: Readonly<Record<string, number>>): {
  readonly allowed: number
  readonly refused: number
  readonly failed: number
} {
  const groups = { allowed: 0, refused: 0, failed: 0 }
  for (const [outcome, count] of Object.entries(checks)) groups[groupOf(outcome)] += count
  return groups
}

function groupOf(outcome: string): 'allowed' | 'refused' | 'failed' {
  if (outcome === 'allow') return 'allowed'
  return brokerErrorCodes[outcome as BrokerErrorCode].status < 500 ? 'refused' : 'failed'
}

function isWithin(limitMs: number, now: number, { at }: Observation): boolean {
  return at <= now && now - at <= limitMs
}

/** The counters that grew, by how much. */
function differences(
  now: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const grown = Object.entries(now).map(([key, count]) => [key, count - (before[key] ?? 0)] as const)
  return Object.fromEntries(grown.filter(([, count]) => count > 0))
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
