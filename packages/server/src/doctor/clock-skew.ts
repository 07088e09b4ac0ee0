import { failed, ok, type Report, skipped, warning } from './check-result.ts'
import { durationText } from './duration-text.ts'
import type { UpstreamAnswer } from './upstream-answer.ts'

const name = 'clock'
const warnMs = 2_000
const failMs = 30_000
/** `Date` counts whole seconds (RFC 9110 section 5.6.7). */
const resolutionMs = 1_000

/** Bounds of how far the clock of a server is ahead of this host's, in milliseconds. */
interface SkewBounds {
  readonly least: number
  readonly most: number
}

/**
 * Compares the clock of this host with the `Date` of answers. An answer was made between the request and its arrival, in the
 * second that it names, so that the clocks differ only as far as that does not explain.
 */
export function checkClock(answers: readonly UpstreamAnswer[], report: Report): void {
  const bounds = answers.flatMap(boundsOf)
  if (bounds.length === 0) {
    report(skipped(name, 'no answer with the header Date'))
    return
  }
  const least = Math.max(...bounds.map(each => each.least))
  const most = Math.min(...bounds.map(each => each.most))
  const certain = least > 0 ? least : Math.min(most, 0)
  if (Math.abs(certain) < warnMs) {
    report(
      ok(
        name,
        `agrees with this host within ${durationText(Math.max(Math.abs(least), Math.abs(most), resolutionMs))}`,
      ),
    )
    return
  }
  const { fact, advice } =
    certain > 0
      ? {
          fact: `this host is at least ${durationText(certain)} behind the server`,
          advice:
            'correct the clock of this host: it accepts JWTs that are expired, and refuses new ones that have nbf',
        }
      : {
          fact: `this host is at least ${durationText(-certain)} ahead of the server`,
          advice:
            'correct the clock of this host: it refuses JWTs that are still valid, and drops tokens early',
        }
  report(Math.abs(certain) < failMs ? warning(name, fact, advice) : failed(name, fact, advice))
}

function boundsOf({ header, sentAt, answeredAt }: UpstreamAnswer): readonly SkewBounds[] {
  const date = Date.parse(header('date') ?? '')
  // The answer of a cache has the date at which it was stored.
  if (Number.isNaN(date) || header('age') !== undefined) return []
  return [{ least: date - answeredAt, most: date + resolutionMs - sentAt }]
}
