import type { PanelRow } from './panel.ts'
import { ofBothCaches, own, perSecond, quantile } from './queries.ts'

const tokenRequests = own('token_request_duration_seconds_count')

/** Panels about tokens and token requests. */
export const tokenPanels: PanelRow = {
  title: 'Tokens',
  panels: [
    {
      title: 'Token lookups per second',
      description:
        'Lookups in the cache found a token (`cached`) or did not (`waited`); many that waited share one request to Dex (`requested`). `stale` is a token near its end, because Dex is unavailable.',
      runbook: 'serving-stale-tokens',
      queries: [
        { expr: ofBothCaches('hits_total'), legend: 'cached' },
        { expr: ofBothCaches('misses_total'), legend: 'waited' },
        { expr: perSecond(tokenRequests), legend: 'requested' },
        { expr: ofBothCaches('stale_total'), legend: 'stale' },
      ],
      unit: 'reqps',
    },
    {
      title: 'Time until tokens expire',
      description: 'The cached token of each configured client. A line that falls to 0 is not refreshed.',
      runbook: 'client-failing',
      queries: [
        {
          expr: `min by (client) (${own('client_token_expires_in_seconds')})`,
          legend: '{{client}}',
        },
      ],
      unit: 's',
    },
    {
      title: 'Configured clients that fail',
      description: 'Red from the first failed token request of a client until its next token.',
      runbook: 'client-refused',
      kind: 'states',
      queries: [
        { expr: `max by (client) (${own('client_failing')})`, legend: '{{client}}' },
        { expr: `max by (client) (${own('client_circuit_open')})`, legend: 'circuit of {{client}}' },
      ],
    },
    {
      title: 'Token requests per second, by outcome',
      description: '`issued`, or the error code. The line `token request failed` in the log has the hint.',
      runbook: 'token-requests-failing',
      kind: 'areas',
      queries: [{ expr: `${perSecond(tokenRequests, 'outcome')} > 0`, legend: '{{outcome}}' }],
      unit: 'reqps',
    },
    {
      title: 'Latency of token requests',
      description: 'How long Dex takes. Slow ones: look at the load and the storage of Dex.',
      runbook: 'token-requests-slow',
      queries: [0.5, 0.9, 0.99].map(share => ({
        expr: quantile(share, 'token_request_duration_seconds', ''),
        legend: `p${share * 100}`,
      })),
      unit: 's',
      bounds: { warning: 2.5, critical: 5 },
    },
    {
      title: 'Cached tokens',
      description: 'By replica. A full cache evicts unexpired tokens, and Dex gets more requests.',
      runbook: 'cache-full',
      queries: [
        { expr: own('cache_entries'), legend: '{{instance}}' },
        { expr: own('exchange_cache_entries'), legend: '{{instance}}, exchanged' },
        { expr: `${ofBothCaches('evictions_total')} > 0`, legend: 'evicted per second' },
      ],
    },
  ],
}
