import type { DurationBucket } from './activity.ts'
import { elapsedText } from './elapsed-text.ts'
import { type Html, type HtmlPart, html } from './html.ts'
import type { PageStatus } from './page-status.ts'
import { ago, integer, percent, section } from './parts.ts'
import { groupsOf } from './recent-activity.ts'
import { spanText } from './span-text.ts'
import { table } from './table.ts'

/** The numbers of the last minutes. */
export function overviewSection({ activity, broker, at, startedAt, version }: PageStatus): Html {
  const { allowed, refused, failed } = groupsOf(activity.checks)
  const all = allowed + refused + failed
  const { hits, misses } = activity.lookups
  const { tokensInFlight, waitingCallers, maxWaitingCallers } = broker.work
  const seconds = activity.spanMs / 1_000
  return section(
    'overview',
    `Last ${elapsedText(activity.spanMs)}`,
    html`<dl class="tiles">
${tile('Checks', integer(all), seconds < 1 ? undefined : `${(all / seconds).toFixed(1)} per second`)}
${tile('Passed', percent(allowed, all) ?? '–', integer(allowed))}
${tile('Refused (4xx)', integer(refused), percent(refused, all))}
${tile('Failed (5xx)', integer(failed), percent(failed, all))}
${durationTile('Half take', activity.durations, 0.5)}
${durationTile('99 % take', activity.durations, 0.99)}
${tile('Cache hit ratio', percent(hits, hits + misses) ?? '–', `${integer(hits + misses)} lookups`)}
${tile('Waiting checks', `${integer(waitingCallers)} of ${integer(maxWaitingCallers)}`, `for ${integer(tokensInFlight)} token${tokensInFlight === 1 ? '' : 's'}`)}
${tile('Event loop lag', `${activity.eventLoopLagMs.toFixed(0)} ms`, '99th percentile')}
${tile('Running for', elapsedText(at - startedAt), `version ${version}`)}
${tile('Last check', ago(activity.lastCheckAt, at) ?? '–', `${integer(activity.totalChecks)} since the start`)}
</dl>`,
    true,
  )
}

function tile(name: string, value: HtmlPart, detail?: string): Html {
  return html`<div class="tile"><dt>${name}</dt><dd>${value}</dd><dd class="detail">${detail}</dd></div>
`
}

/** The bound of the bucket in which a share of the checks is complete. */
function durationTile(name: string, durations: readonly DurationBucket[], share: number): Html {
  const all = durations.reduce((sum, { count }) => sum + count, 0)
  if (all === 0) return tile(name, '–')
  const upToNow = (index: number) => durations.slice(0, index + 1).reduce((sum, { count }) => sum + count, 0)
  const index = durations.findIndex((_, each) => upToNow(each) >= all * share)
  const upToMs = durations[index]?.upToMs
  return upToMs === undefined
    ? tile(name, msText(durations[index - 1]?.upToMs ?? 0), 'or more')
    : tile(name, msText(upToMs), 'or less')
}

/** How long checks took. */
export function latencySection({ activity }: PageStatus): Html {
  const { durations } = activity
  const all = durations.reduce((sum, { count }) => sum + count, 0)
  const most = Math.max(1, ...durations.map(({ count }) => count))
  const last = durations.findLastIndex(({ count }) => count > 0)
  const rows = durations.slice(0, last + 1).map(({ upToMs, count }, index) => {
    const width = Math.ceil((count / most) * 100)
    return [
      upToMs === undefined ? `over ${msText(durations[index - 1]?.upToMs ?? 0)}` : `up to ${msText(upToMs)}`,
      integer(count),
      percent(count, all),
      html`<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="${width}" height="8"></rect></svg>`,
    ]
  })
  const caption = `Duration of checks ${spanText(activity)}, from the request to the verdict`
  return section(
    'latency',
    'Latency',
    table(caption, ['Duration', '#Checks', '#Share', 'Distribution'], rows, 'No check in the last minutes.'),
  )
}

/** Why checks did not pass. */
export function answersSection({ activity }: PageStatus): Html {
  const { checks, jwtRefusals, spanMs } = activity
  const all = Object.values(checks).reduce((sum, count) => sum + count, 0)
  const rows = Object.entries(checks)
    .sort(([, one], [, other]) => other - one)
    .map(([outcome, count]) => [
      html`<code>${outcome}</code>`,
      integer(count),
      percent(count, all),
      outcome === 'invalid_token' &&
        Object.entries(jwtRefusals)
          .sort(([, one], [, other]) => other - one)
          .map(([reason, number]) => `${reason} ${integer(number)}`)
          .join(', '),
    ])
  return section(
    'answers',
    'Answers',
    table(
      `Checks by outcome ${spanText({ spanMs })}`,
      ['Outcome', '#Checks', '#Share', 'Reasons'],
      rows,
      'No check in the last minutes.',
    ),
  )
}

function msText(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`
}
