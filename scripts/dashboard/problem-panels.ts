import type { PanelRow } from './panel.ts'
import { own, perSecond, quantile } from './queries.ts'

const checks = own('check_duration_seconds_count')
const share = (outcome: string) =>
  `${perSecond(own('check_duration_seconds_count', `outcome="${outcome}"`))} / ${perSecond(checks)}`

/** The first panels: problems, and whether checks pass. */
export const problemPanels: PanelRow = {
  title: 'Problems',
  panels: [
    {
      title: 'Alerts',
      description:
        'Alerts of deploy/prometheus/alerts.yaml that fire or wait to fire. The status page of a replica (`/` on the admin listener) shows the same problems at once, each with what to do.',
      runbook: 'problems-and-alerts',
      kind: 'labels',
      // Alerts are about all replicas: most have no instance.
      queries: [{ expr: 'ALERTS{namespace=~"$namespace", job=~"$job"}', legend: '' }],
      // `critical` comes before `warning`.
      sortedBy: 'severity',
      width: 24,
      empty: 'No alert is pending or firing.',
    },
    {
      title: 'Replicas',
      description: 'Replicas that Prometheus reaches. One alone is yellow: its restart is an outage.',
      runbook: 'broker-down',
      kind: 'value',
      queries: [{ expr: `count(${own('build_info')})`, legend: 'replicas' }],
      bounds: { warning: 2, critical: 1, low: true },
      width: 4,
      empty: 'no broker',
    },
    {
      title: 'Checks per second',
      description: 'Requests of Envoy that got a verdict. Without traffic, no alert about checks fires.',
      runbook: 'no-checks',
      kind: 'value',
      queries: [{ expr: perSecond(checks), legend: 'checks' }],
      unit: 'reqps',
      width: 4,
    },
    {
      title: 'Failed checks',
      description: "Share of checks that ended with 5xx: the fault is ours or Dex's.",
      runbook: 'checks-failing',
      kind: 'value',
      queries: [{ expr: share('failed'), legend: 'failed' }],
      unit: 'percentunit',
      bounds: { warning: 0.001, critical: 0.01 },
      width: 4,
    },
    {
      title: 'Refused checks',
      description:
        "Share of checks that ended with 4xx. A constant share is a caller's fault; a jump after a change is ours.",
      runbook: 'everybody-refused',
      kind: 'value',
      queries: [{ expr: share('refused'), legend: 'refused' }],
      unit: 'percentunit',
      bounds: { warning: 0.1, critical: 0.5 },
      width: 4,
    },
    {
      title: 'Latency of allowed checks, p99',
      description: 'A check with a cached token takes less than a millisecond; a longer one waited for Dex.',
      runbook: 'token-requests-slow',
      kind: 'value',
      queries: [{ expr: quantile(0.99, 'check_duration_seconds', 'outcome="allow"'), legend: 'p99' }],
      unit: 's',
      bounds: { warning: 0.5, critical: 2.5 },
      width: 4,
    },
    {
      title: 'Next token expiry',
      description:
        'Time until the first cached token of a configured client expires. A client in use gets a new one long before; the token of one that nobody uses runs out. Red in the panel of failing clients says which it is.',
      runbook: 'client-failing',
      kind: 'value',
      // An expired token is 0 until somebody needs another one.
      queries: [{ expr: `min(${own('client_token_expires_in_seconds')} > 0)`, legend: 'expires in' }],
      unit: 's',
      width: 4,
      empty: 'no token',
    },
  ],
}
