import type { PanelRow } from './panel.ts'
import { own, perSecond } from './queries.ts'

/** The way from Envoy, and the files that configure it. */
export const envoyPanels: PanelRow = {
  title: 'Envoy, TLS and configuration',
  panels: [
    {
      title: 'Time until certificates expire',
      description:
        'The first of all replicas, by listener; `dex_client` is the client certificate for Dex, `dex_client:NAME` the one for an issuer.',
      runbook: 'certificate-expiring',
      queries: [
        {
          expr: `min by (listener) (${own('tls_certificate_not_after_seconds')}) - time()`,
          legend: '{{listener}}',
        },
      ],
      unit: 's',
      bounds: { warning: 14 * 86_400, critical: 2 * 86_400, low: true },
      empty: 'no TLS',
    },
    {
      title: 'Refused TLS connections per second',
      description: 'By listener and reason. The line `TLS connections refused` in the log names the peer.',
      runbook: 'tls-connections-refused',
      kind: 'areas',
      queries: [
        {
          expr: `${perSecond(own('tls_connections_refused_total'), 'listener', 'reason')} > 0`,
          legend: '{{listener}}: {{reason}}',
        },
      ],
      unit: 'ops',
    },
    {
      title: 'gRPC calls without a verdict per second',
      description: 'By reason. `stopping` is normal during a rollout; Envoy retries these.',
      runbook: 'grpc-calls-failing',
      kind: 'areas',
      queries: [{ expr: `${perSecond(own('grpc_faults_total'), 'reason')} > 0`, legend: '{{reason}}' }],
      unit: 'ops',
    },
    {
      title: 'Requests outside /check per second',
      description: 'Above 0 behind Envoy: a route has no `path_prefix: /check`, and its callers get 404.',
      runbook: 'requests-outside-check',
      queries: [{ expr: perSecond(own('unknown_requests_total')), legend: '404' }],
      unit: 'reqps',
      width: 6,
    },
    {
      title: 'Faults in configuration files',
      description:
        'Above 0, the last good content is in effect. `dex-token-broker --check-config` lists them.',
      runbook: 'configuration-faulty',
      queries: [{ expr: `max by (instance) (${own('config_faults')})`, legend: '{{instance}}' }],
      width: 6,
    },
    {
      title: 'Reloads in the last ten minutes',
      description:
        'By outcome. `failed`: the line `configuration files have faults` in the log has each place.',
      runbook: 'configuration-faulty',
      queries: [
        {
          expr: `sum by (outcome) (increase(${own('config_reloads_total')}[10m]))`,
          legend: '{{outcome}}',
        },
      ],
      width: 6,
    },
    {
      title: 'Age of the configuration',
      description:
        'Of the replica with the oldest one. Greater than the time since your last change: the files have faults, or the volume is not updated.',
      runbook: 'configuration-faulty',
      queries: [{ expr: `time() - min(${own('config_loaded_timestamp_seconds')})`, legend: 'oldest' }],
      unit: 's',
      width: 6,
    },
  ],
}
