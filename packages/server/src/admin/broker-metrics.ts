import type { BrokerEvent, CacheStatistics, TokenBroker, Verdict } from '@broker/core'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { CheckProtocol } from '../checks.ts'
import { type GrpcFault, grpcFaults } from '../grpc/grpc-fault.ts'
import { jwtRefusalReasons, tokenRequestOutcomes } from './announced-labels.ts'
import { CheckCounter } from './check-counter.ts'
import { CheckDurations } from './check-durations.ts'
import { addProcessMetrics } from './process-metrics.ts'
import { addStatusMetrics } from './status-metrics.ts'
import { TlsMetrics } from './tls-metrics.ts'

const prefix = 'dex_token_broker_'

/** How a reload of the configuration ended. */
export type ReloadOutcome = (typeof reloadOutcomes)[number]
const reloadOutcomes = ['applied', 'unchanged', 'failed'] as const

/** The broker's metrics for Prometheus, in a separate registry, so that two brokers in one process do not share counters. */
export class BrokerMetrics {
  readonly registry: Registry = new Registry()
  readonly #checks = new CheckCounter(`${prefix}checks_total`, this.registry)
  readonly #checkDurations = new CheckDurations(`${prefix}check_duration_seconds`, this.registry)
  readonly #tokenRequests = new Histogram({
    name: `${prefix}token_request_duration_seconds`,
    help: 'Duration of requests to the token endpoint, by outcome: issued, or the error code.',
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
    help: 'JWTs refused by the gate, by reason; missing counts requests without a JWT.',
    labelNames: ['reason'],
    registers: [this.registry],
  })

  readonly #discoveries = new Counter({
    name: `${prefix}discoveries_total`,
    help: 'Requests for the discovery document of DEX_ISSUER, by outcome: discovered or failed.',
    labelNames: ['outcome'],
    registers: [this.registry],
  })

  readonly #sharedStoreOperations = new Counter({
    name: `${prefix}shared_store_operations_total`,
    help: 'Calls of the shared store, by operation and outcome; open counts those that an open circuit left out.',
    labelNames: ['operation', 'outcome'],
    registers: [this.registry],
  })

  readonly #sealingKey = new Gauge({
    name: `${prefix}shared_store_sealing_key`,
    help: '1 for the id of the key that seals tokens in the shared store; without a store there is none.',
    labelNames: ['key'],
    registers: [this.registry],
  })

  readonly #unknownTargets = new Counter({
    name: `${prefix}unknown_requests_total`,
    help: 'Requests to the check listener outside /check and /healthz, answered with 404.',
    registers: [this.registry],
  })

  readonly #grpcFaults = new Counter({
    name: `${prefix}grpc_faults_total`,
    help: 'gRPC calls and connections that ended without a verdict, by reason.',
    labelNames: ['reason'],
    registers: [this.registry],
  })

  readonly #reloads = new Counter({
    name: `${prefix}config_reloads_total`,
    help: 'Reloads of the configuration, by outcome: applied, unchanged or failed.',
    labelNames: ['outcome'],
    registers: [this.registry],
  })

  readonly #loadedAt = new Gauge({
    name: `${prefix}config_loaded_timestamp_seconds`,
    help: 'When the configuration in effect was loaded, in seconds since 1970.',
    registers: [this.registry],
  })

  readonly #configFaults = new Gauge({
    name: `${prefix}config_faults`,
    help: 'Faults in the configuration files, as they are now; 0 when everything in them is in effect.',
    registers: [this.registry],
  })

  readonly tls: TlsMetrics = new TlsMetrics(prefix, this.registry)

  /** `droppedLogLines` is read when Prometheus asks; `protocols` have a listener. */
  constructor(droppedLogLines: () => number = () => 0, protocols: readonly CheckProtocol[] = ['http']) {
    addProcessMetrics(this.registry, prefix)
    // An alert on an increase needs the series before the first failure.
    for (const protocol of protocols) {
      this.#checks.announce(protocol)
      this.#checkDurations.announce(protocol)
    }
    if (protocols.includes('grpc')) for (const reason of grpcFaults) this.#grpcFaults.inc({ reason }, 0)
    for (const outcome of reloadOutcomes) this.#reloads.inc({ outcome }, 0)
    for (const outcome of tokenRequestOutcomes) this.#tokenRequests.zero({ outcome })
    for (const outcome of ['refreshed', 'failed']) this.#keySetRefreshes.inc({ outcome }, 0)
    for (const outcome of ['discovered', 'failed']) this.#discoveries.inc({ outcome }, 0)
    for (const reason of jwtRefusalReasons) this.#jwtRefusals.inc({ reason }, 0)
    this.#loadedAt.setToCurrentTime()
    this.#mirror(
      'log_lines_dropped_total',
      'Log lines dropped because the reader of the log was too slow.',
      droppedLogLines,
    )
  }

  /** Counts a verdict. `durationMs` is `undefined` for a request that the broker did not see. */
  countCheck(verdict: Verdict, protocol: CheckProtocol, durationMs: number | undefined): void {
    this.#checks.count(verdict, protocol)
    if (durationMs !== undefined) this.#checkDurations.observe(verdict, protocol, durationMs)
  }

  countGrpcFault(reason: GrpcFault): void {
    this.#grpcFaults.inc({ reason })
  }

  countUnknownTarget(): void {
    this.#unknownTargets.inc()
  }

  /** Names the key that seals tokens in the shared store from now on. */
  setSealingKey(id: string): void {
    this.#sealingKey.reset()
    this.#sealingKey.set({ key: id }, 1)
  }

  /** Counts a reload, and keeps how many faults the configuration files have now. */
  countReload(outcome: ReloadOutcome, faults = 0): void {
    this.#reloads.inc({ outcome })
    this.#configFaults.set(faults)
    if (outcome === 'applied') this.#loadedAt.setToCurrentTime()
  }

  /** Counts what the broker did. An arrow function, so that it can be passed on. */
  readonly observe = (event: BrokerEvent): void => {
    if (event.type === 'jwt_refusal') {
      this.#jwtRefusals.inc({ reason: event.reason })
      return
    }
    // Its state is in the status.
    if (event.type === 'shared_store_circuit') return
    const { outcome } = event
    if (event.type === 'shared_store') {
      this.#sharedStoreOperations.inc({ operation: event.operation, outcome })
      return
    }
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

  /** Adds the metrics of a broker's state, which is read when Prometheus asks. */
  watch(broker: Pick<TokenBroker, 'cacheStatistics' | 'exchangeStatistics' | 'status'>): void {
    addStatusMetrics(this.registry, prefix, () => broker.status())
    this.#watchCache('cache', '', () => broker.cacheStatistics)
    this.#watchCache('exchange_cache', ' Exchanged tokens of users only.', () => broker.exchangeStatistics)
  }

  #watchCache(cache: string, which: string, read: () => CacheStatistics): void {
    const { registry } = this
    new Gauge({
      name: `${prefix}${cache}_entries`,
      help: `Tokens in the cache, including expired ones that are not removed yet.${which}`,
      registers: [registry],
      collect() {
        this.set(read().entries)
      },
    })
    const totals = {
      hits: 'Token lookups answered from the cache.',
      misses: 'Token lookups that waited for the token endpoint, or were refused without another request.',
      stale: 'Misses answered with a stale token because Dex was unavailable.',
      evictions: 'Unexpired tokens evicted because the cache was full.',
    }
    for (const [name, help] of Object.entries(totals) as [keyof typeof totals, string][]) {
      this.#mirror(`${cache}_${name}_total`, help + which, () => read()[name])
    }
  }

  /** A counter whose value is counted elsewhere. */
  #mirror(name: string, help: string, read: () => number): void {
    new Counter({
      name: `${prefix}${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }
}
