// Metrics for Prometheus, by prom-client.
// #region metrics
import type { BrokerObserver, TokenBroker } from '@broker/core'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** The option `observe`: durations and outcomes of requests to Dex, and refused JWTs. */
export function requestMetrics(registry: Registry): BrokerObserver {
  const durations = new Histogram({
    name: 'token_broker_request_duration_seconds',
    help: 'Requests to Dex and to the shared store, by type and outcome.',
    labelNames: ['type', 'outcome'],
    registers: [registry],
  })
  const refusals = new Counter({
    name: 'token_broker_jwt_refusals_total',
    help: 'Refused JWTs, by reason.',
    labelNames: ['reason'],
    registers: [registry],
  })
  return event => {
    if (event.type === 'jwt_refusal') refusals.inc({ reason: event.reason })
    else if ('durationMs' in event) {
      durations.observe({ type: event.type, outcome: event.outcome }, event.durationMs / 1000)
    }
  }
}
// #endregion metrics

/** The counters of the token cache, read when Prometheus asks. */
export function cacheMetrics(registry: Registry, broker: TokenBroker): void {
  for (const name of ['hits', 'misses', 'stale', 'evictions'] as const) {
    new Counter({
      name: `token_broker_cache_${name}_total`,
      help: `The counter "${name}" of broker.cacheStatistics.`,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(broker.cacheStatistics[name])
      },
    })
  }
  new Gauge({
    name: 'token_broker_cache_entries',
    help: 'Tokens in the cache.',
    registers: [registry],
    collect() {
      this.set(broker.cacheStatistics.entries)
    },
  })
}
