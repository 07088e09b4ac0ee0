import type { PanelRow } from './panel.ts'
import { own, perSecond } from './queries.ts'

/** Dex, the issuers of JWTs, and the shared store. */
export const dexPanels: PanelRow = {
  title: 'Dex, issuers and shared store',
  panels: [
    {
      title: 'Circuits, discovery and key sets',
      description: 'Red while a circuit is open, or a discovery document or key set cannot be read.',
      runbook: 'circuit-open',
      kind: 'states',
      queries: [
        {
          expr: `max by (issuer, clients) (${own('circuit_open')})`,
          legend: 'circuit of {{issuer}}, {{clients}}',
        },
        { expr: `max by (issuer) (${own('discovery_failing')})`, legend: 'discovery of {{issuer}}' },
        { expr: `max by (issuer) (${own('key_set_failing')})`, legend: 'key set of {{issuer}}' },
        { expr: `max(${own('shared_store_circuit_open')})`, legend: 'shared store' },
      ],
      width: 16,
    },
    {
      title: 'Age of key sets',
      description: 'The oldest of all replicas. At `JWKS_MAX_STALE` (1 h), the gate answers 503.',
      runbook: 'key-set-failing',
      queries: [{ expr: `max by (issuer) (${own('key_set_age_seconds')})`, legend: '{{issuer}}' }],
      unit: 's',
    },
    {
      title: 'Requests for discovery and keys per second',
      description: 'Few are normal: a document is read once, and keys are refreshed every few minutes.',
      runbook: 'discovery-failing',
      queries: [
        { expr: perSecond(own('discoveries_total'), 'outcome'), legend: 'discovery {{outcome}}' },
        { expr: perSecond(own('jwks_refreshes_total'), 'outcome'), legend: 'key set {{outcome}}' },
      ],
      unit: 'reqps',
    },
    {
      title: 'Clock skew',
      description:
        "Between a replica's host and an issuer: above 0, the host is ahead and refuses good JWTs; below, it accepts expired ones.",
      runbook: 'clock-skew',
      queries: [{ expr: own('clock_skew_seconds'), legend: '{{instance}}, {{issuer}}' }],
      unit: 's',
    },
    {
      title: 'Token requests under way',
      description: 'At `DEX_MAX_CONNECTIONS`, further ones wait.',
      runbook: 'token-requests-queued',
      queries: [
        { expr: `sum by (issuer) (${own('token_requests_running')})`, legend: 'running, {{issuer}}' },
        { expr: `sum by (issuer) (${own('token_requests_waiting')})`, legend: 'waiting, {{issuer}}' },
        { expr: `sum(${own('tokens_in_flight')})`, legend: 'tokens in flight' },
      ],
    },
    {
      title: 'Shared store operations per second',
      description:
        '`timeout`, `failed` and `open` (left out by the circuit): each replica requests its own tokens. `unreadable`: replicas have different keys.',
      runbook: 'shared-store-failing',
      kind: 'areas',
      queries: [
        {
          expr: `${perSecond(own('shared_store_operations_total'), 'operation', 'outcome')} > 0`,
          legend: '{{operation}} {{outcome}}',
        },
      ],
      unit: 'ops',
      width: 16,
      empty: 'no shared store',
    },
    {
      title: 'Keys that seal the shared store',
      description: 'More than one for longer than a rotation: the replicas share no tokens.',
      runbook: 'shared-store-keys-differ',
      queries: [{ expr: `count by (key) (${own('shared_store_sealing_key')})`, legend: '{{key}}' }],
      empty: 'no shared store',
    },
  ],
}
