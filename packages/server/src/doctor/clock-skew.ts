import {
  type ClockDifference,
  certainSkewMs,
  clockDifference,
  clockSkewSeverity,
  dateResolutionMs,
} from '@broker/core/diagnosis'
import { failed, ok, type Report, skipped, warning } from './check-result.ts'
import { durationText } from './duration-text.ts'
import type { UpstreamAnswer } from './upstream-answer.ts'

const name = 'clock'

/** Compares the clock of this host with the `Date` of answers. */
export function checkClock(answers: readonly UpstreamAnswer[], report: Report): void {
  const difference = differenceOf(answers)
  if (difference === undefined) {
    report(skipped(name, 'no answer with the header Date'))
    return
  }
  const { atLeast, atMost } = difference
  const skewMs = certainSkewMs(difference)
  const severity = clockSkewSeverity(skewMs)
  if (severity === 'none') {
    report(
      ok(
        name,
        `agrees with this host within ${durationText(Math.max(Math.abs(atLeast), Math.abs(atMost), dateResolutionMs))}`,
      ),
    )
    return
  }
  const { fact, advice } =
    skewMs < 0
      ? {
          fact: `this host is at least ${durationText(-skewMs)} behind the server`,
          advice:
            'correct the clock of this host: it accepts JWTs that are expired, and refuses new ones that have nbf',
        }
      : {
          fact: `this host is at least ${durationText(skewMs)} ahead of the server`,
          advice:
            'correct the clock of this host: it refuses JWTs that are still valid, and drops tokens early',
        }
  report(severity === 'warning' ? warning(name, fact, advice) : failed(name, fact, advice))
}

/** The bounds that all answers of one server leave. */
function differenceOf(answers: readonly UpstreamAnswer[]): ClockDifference | undefined {
  const differences = answers.flatMap(
    ({ header, sentAt, answeredAt: receivedAt }) => clockDifference({ header, sentAt, receivedAt }) ?? [],
  )
  return differences.length === 0
    ? undefined
    : {
        atLeast: Math.max(...differences.map(each => each.atLeast)),
        atMost: Math.min(...differences.map(each => each.atMost)),
      }
}
