import type { BrokerEvent, TokenBroker, Verdict } from '@broker/core'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

const prefix = 'dex_token_broker_'

/** The broker in numbers, for Prometheus; a registry of its own, so that two brokers in a process stay apart. */
export class BrokerMetrics {
  readonly registry: Registry = new Registry()
  readonly #checks = new Counter({
    name: `${prefix}checks_total`,
    help: 'Checks answered, by outcome: allow, or the error code of the refusal.',
    labelNames: ['outcome'],
    registers: [this.registry],
  })
  /** Prepared, because it is counted with every request that passes. */
  readonly #allowed = this.#checks.labels('allow')
  readonly #tokenRequests = new Histogram({
    name: `${prefix}token_request_duration_seconds`,
    help: 'Requests to the token endpoint and the time they took, by outcome: issued, or the error code.',
    labelNames: ['outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  })
  readonly #keySetRefreshes = new Counter({
    name: `${prefix}jwks_refreshes_total`,
    help: 'Requests to the JWKS endpoint, by outcome: refreshed or failed.',
    labelNames: ['outcome'],
    registers: [this.registry],
  })
  readonly #jwtRefusals = new Counter({
    name: `${prefix}jwt_refusals_total`,
    help: 'JWTs that the gate refused, by reason; missing counts requests without one.',
    labelNames: ['reason'],
    registers: [this.registry],
  })

  readonly #discoveries = new Counter({
    name: `${prefix}discoveries_total`,
    help: 'Requests for the discovery document of DEX_ISSUER, by outcome: discovered or failed.',
    labelNames: ['outcome'],
    registers: [this.registry],
  })

  readonly #unknownTargets = new Counter({
    name: `${prefix}unknown_requests_total`,
    help: 'Requests to the check listener that are no check and no probe, answered with 404.',
    registers: [this.registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.registry })
  }

  /** Counts a verdict; an arrow function, to be handed on. */
  readonly countCheck = (verdict: Verdict): void => {
    if (verdict.outcome === 'allow') this.#allowed.inc()
    else this.#checks.inc({ outcome: verdict.code })
  }

  countUnknownTarget(): void {
    this.#unknownTargets.inc()
  }

  /** Takes note of what the broker did; an arrow function, to be handed on. */
  readonly observe = (event: BrokerEvent): void => {
    if (event.type === 'jwt_refusal') {
      this.#jwtRefusals.inc({ reason: event.reason })
      return
    }
    const { outcome } = event
    if (event.type === 'jwks_refresh') {
      this.#keySetRefreshes.inc({ outcome })
      return
    }
    if (event.type === 'discovery') {
      this.#discoveries.inc({ outcome })
      return
    }
    this.#tokenRequests.observe({ outcome }, event.durationMs / 1000)
  }

  /** Shows a broker's cache; its numbers are read when Prometheus asks. */
  watchCache(broker: TokenBroker): void {
    const { registry } = this
    new Gauge({
      name: `${prefix}cache_entries`,
      help: 'Tokens in the cache, expired ones that are not removed yet included.',
      registers: [registry],
      collect() {
        this.set(broker.cacheStatistics.entries)
      },
    })
    const totals = {
      hits: 'Token lookups that the cache answered.',
      misses:
        'Token lookups that had to wait for the token endpoint, or were refused without asking it again.',
      stale: 'Those of the misses that got a token past its normal use, because Dex could not answer.',
      evictions: 'Living tokens that had to go because the cache was full.',
    }
    for (const [name, help] of Object.entries(totals) as [keyof typeof totals, string][]) {
      new Counter({
        name: `${prefix}cache_${name}_total`,
        help,
        registers: [registry],
        collect() {
          this.reset()
          this.inc(broker.cacheStatistics[name])
        },
      })
    }
  }
}
