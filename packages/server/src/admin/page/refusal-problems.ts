import type { PageFacts } from './page-status.ts'
import type { Problem } from './problem.ts'
import { groupsOf } from './recent-activity.ts'
import { spanText } from './span-text.ts'

/** Fewer refusals within the span may be one caller that is wrong. */
export const minRefusals = 5

/** Actions where the log has no hint. */
const actions: Readonly<Record<string, string>> = {
  invalid_token:
    'compare the JWT with the gate: dex-token-broker doctor --jwt-file FILE names the rule that refuses it',
  missing_credentials:
    'forward the credential headers from Envoy: allowed_headers of ext_authz, headersToExtAuth in a SecurityPolicy',
  token_request_rejected: "compare the callers' client ids and secrets with the clients in Dex",
  forbidden: 'compare the rules with a request: dex-token-broker explain names the rule that denies it',
  overloaded: 'wait until Dex answers again; if it does, add replicas or raise MAX_WAITING_CHECKS',
  server_error: 'read the stack in the log, and report it',
}

/**
 * Problems that show only in the answers: everybody refused, and checks that failed. `others` are known already: a failure that
 * one of them explains is not told twice.
 */
export function refusalProblems(facts: PageFacts, others: readonly Problem[]): readonly Problem[] {
  const { activity } = facts
  const { allowed, refused, failed } = groupsOf(activity.checks)
  const span = spanText(activity)
  const found: Problem[] = []
  if (allowed === 0 && refused >= minRefusals && refused >= failed) {
    found.push({
      kind: 'everybody-refused',
      severity: 'critical',
      summary: `Nobody passes: ${refused} of ${refused + failed} checks ${span} were refused (${topText(facts, isRefusal)})`,
      since: activity.refusedSince,
      action: actionFor(facts, isRefusal),
    })
  }
  const isExplained = others.some(({ severity }) => severity === 'critical')
  if (failed > 0 && !isExplained) {
    found.push({
      kind: 'checks-failing',
      severity: activity.failedSince === undefined ? 'warning' : 'critical',
      summary: `${failed} of ${allowed + refused + failed} checks ${span} failed (${topText(facts, isFailure)})${activity.failedSince === undefined ? '; checks pass again' : ''}`,
      since: activity.failedSince,
      action: actionFor(facts, isFailure),
    })
  }
  return found
}

function isRefusal(code: string): boolean {
  return groupsOf({ [code]: 1 }).refused === 1
}

function isFailure(code: string): boolean {
  return groupsOf({ [code]: 1 }).failed === 1
}

/** The codes, the most frequent first; for JWTs with the reasons, for others with the line of the log. */
function topText({ activity, errors }: PageFacts, isOne: (code: string) => boolean): string {
  return sorted(activity.checks)
    .filter(([code]) => isOne(code))
    .map(([code, count]) => {
      const texts =
        code === 'invalid_token'
          ? sorted(activity.jwtRefusals).map(([reason]) => reason)
          : (errors?.filter(each => each.code === code).slice(0, 1) ?? []).map(({ message }) => message)
      return `${code} ${count}${texts.length === 0 ? '' : `: ${texts.join(', ')}`}`
    })
    .join('; ')
}

/** The hint of the log line about the most frequent code, or a general one. */
function actionFor({ activity, errors }: PageFacts, isOne: (code: string) => boolean): string {
  const [code = ''] = sorted(activity.checks).find(([each]) => isOne(each)) ?? []
  const [reason] = sorted(activity.jwtRefusals)[0] ?? []
  const line = errors?.find(each =>
    code === 'invalid_token' ? each.hint && each.reason === reason : each.hint && each.code === code,
  )
  return line?.hint ?? actions[code] ?? 'do what the hint of the newest error below says'
}

function sorted(counts: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(counts).sort(([, one], [, other]) => other - one)
}
