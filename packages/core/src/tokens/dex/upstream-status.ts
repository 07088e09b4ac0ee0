import type { HintProblem } from '../../shared/hint.ts'

/** What content delivery networks say when they cannot reach the server behind them, or lost it. */
const edgeStatuses = [520, 521, 522, 523, 524, 525, 526, 527, 530]
const unreachableStatuses = new Set([502, 503, 504, ...edgeStatuses])
/** The connection was too slow, or too new: RFC 9110 section 15.5.9 and RFC 8470 section 5.2 invite to come again. */
const comeAgainStatuses = new Set([408, 425])
const redirectStatuses = new Set([301, 302, 303, 307, 308])
/** What a server answers that is reached, and has no token endpoint at this path. */
const wrongPathStatuses = new Set([404, 405, 410])

/** Whether nobody has judged the request, and the next moment may bring another answer. */
export function isNeverJudged(status: number): boolean {
  return unreachableStatuses.has(status) || comeAgainStatuses.has(status)
}

/** Whether a status says that who answers cannot do so now: asking less may help. */
export function isUnavailable(status: number): boolean {
  return status >= 500 || status === 429 || comeAgainStatuses.has(status)
}

/** Whether a status other than 200 may pass by itself. */
export function isPassing(status: number): boolean {
  return status >= 400 && !wrongPathStatuses.has(status)
}

/** What an operator should look at. */
export function problemOfStatus(status: number): HintProblem {
  if (status === 404) return 'path_not_found'
  if (redirectStatuses.has(status)) return 'redirects'
  if (!isPassing(status)) return 'status_of_no_token_endpoint'
  if (unreachableStatuses.has(status)) return 'upstream_unreachable'
  if (status === 500) return 'upstream_failed'
  return status === 407 ? 'proxy_wants_credentials' : 'proxy_in_front'
}
