// Metrics by the API of OpenTelemetry. The option `tracer` records spans: openTelemetryTracer().
// #region metrics
import type { BrokerObserver, TokenBroker } from '@broker/core'
import { type Meter, metrics } from '@opentelemetry/api'

/** The option `observe`: durations and outcomes of requests to Dex, and refused JWTs. */
export function requestMetrics(meter: Meter = metrics.getMeter('token-broker')): BrokerObserver {
  const durations = meter.createHistogram('token_broker.request.duration', { unit: 's' })
  const refusals = meter.createCounter('token_broker.jwt_refusals', { unit: '{jwt}' })
  return event => {
    if (event.type === 'jwt_refusal') refusals.add(1, { reason: event.reason })
    else if ('durationMs' in event) {
      durations.record(event.durationMs / 1000, { type: event.type, outcome: event.outcome })
    }
  }
}

/** The counters of the token cache, read at each export. */
export function cacheMetrics(broker: TokenBroker, meter: Meter = metrics.getMeter('token-broker')): void {
  for (const name of ['hits', 'misses', 'stale', 'evictions'] as const) {
    meter
      .createObservableCounter(`token_broker.cache.${name}`)
      .addCallback(result => result.observe(broker.cacheStatistics[name]))
  }
  meter
    .createObservableGauge('token_broker.cache.entries')
    .addCallback(result => result.observe(broker.cacheStatistics.entries))
}
// #endregion metrics
