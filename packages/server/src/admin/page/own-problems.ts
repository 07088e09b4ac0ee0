import { certificateProblems } from './certificate-problems.ts'
import { elapsedText } from './elapsed-text.ts'
import type { PageFacts } from './page-status.ts'
import type { Problem } from './problem.ts'
import { spanText } from './span-text.ts'

/** A check with a cached token takes less than a millisecond: this is a wait that callers notice. */
export const lateMs = 100
/** Envoy asks for a check per request; a quiet service may have none at night, hence only a warning. */
const silentMs = 15 * 60_000

/** Problems of this process: its files, its certificates, its resources, and silence. */
export function ownProblems(facts: PageFacts): readonly Problem[] {
  return [
    ...configurationProblems(facts),
    ...certificateProblems(facts),
    ...cacheProblems(facts),
    ...loopProblems(facts),
    ...logProblems(facts),
    ...readinessProblems(facts),
    ...silenceProblems(facts),
  ]
}

function configurationProblems({ activity, errors }: PageFacts): Problem[] {
  const { configFaults, faultySince } = activity
  if (configFaults === 0) return []
  const [first] = errors?.find(({ faults }) => faults.length > 0)?.faults ?? []
  return [
    {
      kind: 'configuration-faulty',
      severity: 'warning',
      summary: `The configuration files have ${counted(configFaults, 'fault')}; their last good content stays in effect${first === undefined ? '' : `: ${first}`}`,
      since: faultySince,
      action: 'correct the files; dex-token-broker --check-config lists every fault',
    },
  ]
}

function cacheProblems({ activity, broker }: PageFacts): Problem[] {
  const { entries, maxEntries } = broker.caches.tokens
  if (maxEntries === 0 || entries < maxEntries || activity.evictions === 0) return []
  return [
    {
      kind: 'cache-full',
      severity: 'warning',
      summary: `The token cache is full (${entries} of ${maxEntries}): ${counted(activity.evictions, 'unexpired token')} evicted ${spanText(activity)}`,
      since: undefined,
      action: 'raise CACHE_MAX_ENTRIES and the memory limit, or find out who sends so many clients or scopes',
    },
  ]
}

function loopProblems({ activity }: PageFacts): Problem[] {
  const { eventLoopLagMs } = activity
  if (eventLoopLagMs < lateMs) return []
  return [
    {
      kind: 'event-loop-lag',
      severity: 'warning',
      summary: `The event loop is late: 1 % of its turns wait ${Math.round(eventLoopLagMs)} ms or more`,
      since: undefined,
      action: 'add replicas, or raise the CPU limit: this process has more work than one core can do',
    },
  ]
}

function logProblems({ activity }: PageFacts): Problem[] {
  const { droppedLines, spanMs } = activity
  if (droppedLines === 0) return []
  return [
    {
      kind: 'log-lines-dropped',
      severity: 'warning',
      summary: `${counted(droppedLines, 'log line')} dropped ${spanText({ spanMs })}: the reader of the log is too slow`,
      since: undefined,
      action: 'check the log collector on this node, or set LOG_LEVEL to INFO',
    },
  ]
}

function readinessProblems({ notReadyBecause, startedAt }: PageFacts): Problem[] {
  if (notReadyBecause === undefined) return []
  return [
    {
      kind: 'not-ready',
      severity: 'warning',
      summary: `Not ready, so no checks are sent here: ${notReadyBecause}`,
      since: notReadyBecause === 'shutting down' ? undefined : startedAt,
      action:
        notReadyBecause === 'shutting down'
          ? 'nothing: running checks are being finished'
          : 'read what fails above, or GET /readyz?verbose',
    },
  ]
}

function silenceProblems({ at, startedAt, activity }: PageFacts): Problem[] {
  const { lastCheckAt } = activity
  const quietSince = lastCheckAt ?? startedAt
  if (at - quietSince < silentMs) return []
  return [
    {
      kind: 'no-checks',
      severity: 'warning',
      summary:
        lastCheckAt === undefined
          ? 'No check has arrived since the start'
          : `No check has arrived for ${elapsedText(at - quietSince)}`,
      since: quietSince,
      action:
        'check that Envoy has the ext_authz filter and reaches LISTEN_ADDR; nothing to do if there is no traffic',
    },
  ]
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
