import type { PageFacts } from './page-status.ts'
import type { Problem, Severity } from './problem.ts'
import { groupsOf } from './recent-activity.ts'
import { spanText } from './span-text.ts'

/** Problems of Envoy's requests on their way: what does not become a check. */
export function arrivalProblems(facts: PageFacts): readonly Problem[] {
  return [...connectionProblems(facts), ...targetProblems(facts)]
}

function connectionProblems({ activity, errors }: PageFacts): Problem[] {
  const { tlsRefusals, tlsRefusedSince } = activity
  const reasons = Object.entries(tlsRefusals).sort(([, one], [, other]) => other - one)
  const [top] = reasons
  if (top === undefined) return []
  const [reason] = top
  return [
    {
      kind: 'tls-connections-refused',
      severity: severityOf(activity),
      summary: `TLS connections were refused ${spanText(activity)}: ${reasons.map(([each, count]) => `${each} ${count}`).join(', ')}`,
      since: tlsRefusedSince,
      action:
        errors?.find(line => line.reason === reason)?.hint ??
        'compare the certificates of Envoy with TLS_CLIENT_CA_FILE and TLS_CLIENT_SANS',
    },
  ]
}

function targetProblems({ activity }: PageFacts): Problem[] {
  const { unknownTargets, astraySince } = activity
  if (unknownTargets === 0) return []
  return [
    {
      kind: 'requests-outside-check',
      severity: severityOf(activity),
      summary: `${unknownTargets} request${unknownTargets === 1 ? '' : 's'} ${spanText(activity)} came to the check listener outside /check, and got 404`,
      since: astraySince,
      action:
        'set path_prefix to /check in ext_authz of Envoy (path in a SecurityPolicy); let health checks ask for /healthz',
    },
  ]
}

/** While checks pass, it is another caller, such as a scanner, or one route of many. */
function severityOf({ checks }: PageFacts['activity']): Severity {
  return groupsOf(checks).allowed === 0 ? 'critical' : 'warning'
}
