import type { PanelRow } from './panel.ts'
import { own, perSecond, quantile } from './queries.ts'

/** Panels about answers to callers. */
export const checkPanels: PanelRow = {
  title: 'Checks',
  panels: [
    {
      title: 'Checks per second, by outcome',
      description: '`allow`, or the error code of the refusal. docs/errors.md explains each code.',
      runbook: 'checks-failing',
      kind: 'areas',
      queries: [{ expr: `${perSecond(own('checks_total'), 'outcome')} > 0`, legend: '{{outcome}}' }],
      unit: 'reqps',
    },
    {
      title: 'Checks per second, by protocol',
      description: 'How Envoy asks: over HTTP or over gRPC.',
      runbook: 'no-checks',
      kind: 'areas',
      queries: [{ expr: perSecond(own('checks_total'), 'protocol'), legend: '{{protocol}}' }],
      unit: 'reqps',
    },
    {
      title: 'Latency of checks',
      description:
        'From the complete request of Envoy to its verdict. When only `allowed` is slow, Dex is; when all are, look at the event loop lag.',
      runbook: 'token-requests-slow',
      queries: [
        { expr: quantile(0.5, 'check_duration_seconds', 'outcome="allow"'), legend: 'allowed, p50' },
        { expr: quantile(0.99, 'check_duration_seconds', 'outcome="allow"'), legend: 'allowed, p99' },
        { expr: quantile(0.99, 'check_duration_seconds', 'outcome!="allow"'), legend: 'not allowed, p99' },
      ],
      unit: 's',
    },
    {
      title: 'Share of checks that do not pass, by code',
      description:
        "5xx codes: the fault is ours or Dex's. 401, 403 and 400: callers', or of the last change of the gate or a route.",
      runbook: 'everybody-refused',
      kind: 'areas',
      queries: [
        {
          expr: `${perSecond(own('checks_total', 'outcome!="allow"'), 'outcome')} / on () group_left () ${perSecond(own('checks_total'))} > 0`,
          legend: '{{outcome}}',
        },
      ],
      unit: 'percentunit',
    },
    {
      title: 'Refused JWTs per second, by reason',
      description:
        'The line `JWTs refused` in the log shows for each reason what was expected and what was seen.',
      runbook: 'jwts-refused',
      kind: 'areas',
      queries: [{ expr: `${perSecond(own('jwt_refusals_total'), 'reason')} > 0`, legend: '{{reason}}' }],
      unit: 'reqps',
    },
    {
      title: 'Checks that wait now',
      description:
        'Callers that wait for a token or for keys. At `MAX_WAITING_CHECKS`, more get 503 `overloaded`.',
      runbook: 'checks-failing',
      queries: [{ expr: `sum by (instance) (${own('waiting_callers')})`, legend: '{{instance}}' }],
    },
  ],
}
