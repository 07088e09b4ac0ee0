import type { HintProblem } from '../hint.ts'

/** Statuses of content delivery networks that cannot reach their origin server, or lost its connection. */
const edgeStatuses = [520, 521, 522, 523, 524, 525, 526, 527, 530]
const unreachableStatuses = new Set([502, 503, 504, ...edgeStatuses])
/** The connection was too slow or too new: RFC 9110 section 15.5.9 and RFC 8470 section 5.2 allow a retry. */
const retryStatuses = new Set([408, 425])
const redirectStatuses = new Set([301, 302, 303, 307, 308])
/** Statuses of a server without a token endpoint at this path. */
const wrongPathStatuses = new Set([404, 405, 410])

/** Whether the request was never judged, so that a retry may have another answer. */
export function isNeverJudged(status: number): boolean {
  return unreachableStatuses.has(status) || retryStatuses.has(status)
}

/** Whether a status means that the server is unavailable, so that fewer requests may help. */
export function isUnavailable(status: number): boolean {
  return status >= 500 || status === 429 || retryStatuses.has(status)
}

/** Whether the cause of a status other than 200 may pass without a change of the configuration. */
export function isPassing(status: number): boolean {
  return status >= 400 && !wrongPathStatuses.has(status)
}

/** Names the problem for the operator's hint. */
export function problemOfStatus(status: number): HintProblem {
  if (status === 404) return 'path_not_found'
  if (redirectStatuses.has(status)) return 'redirects'
  if (!isPassing(status)) return 'status_of_no_token_endpoint'
  if (unreachableStatuses.has(status)) return 'upstream_unreachable'
  if (status === 500) return 'upstream_failed'
  return status === 407 ? 'proxy_wants_credentials' : 'proxy_in_front'
}
