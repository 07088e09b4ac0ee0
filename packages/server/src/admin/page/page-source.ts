import { hostname } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { TokenBroker } from '@broker/core'
import type { Registry } from 'prom-client'
import type { Config } from '../../config/config.ts'
import { describeConfig } from '../../config/describe-config.ts'
import type { RecentLines } from '../../recent-lines.ts'
import type { CertificateInUse } from '../../tls/certificate-in-use.ts'
import { version } from '../../version.ts'
import { readCounters } from './counters.ts'
import type { PageFacts } from './page-status.ts'
import { observationIntervalMs, RecentActivity } from './recent-activity.ts'

export interface PageSourceOptions {
  readonly broker: Pick<TokenBroker, 'status'>
  readonly registry: Registry
  /** The reason why no checks should be sent here; `undefined` when the broker is ready. */
  readonly notReadyBecause: () => string | undefined
  /** The configuration in effect. */
  readonly config: () => Config
  /** `undefined` when the log goes to a logger that keeps no lines. */
  readonly recentLines: RecentLines | undefined
  /** The certificates in use. */
  readonly certificates: () => readonly CertificateInUse[]
}

/** Puts the facts of the status page together. Notes the counters every ten seconds, from its start to its end. */
export class PageSource implements Disposable {
  readonly #options: PageSourceOptions
  readonly #activity = new RecentActivity()
  readonly #startedAt: number
  readonly #version = version()
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 20 })
  #loopDelaySince = performance.now()
  #eventLoopLagMs = 0
  readonly #timer: NodeJS.Timeout

  constructor(options: PageSourceOptions) {
    this.#options = options
    this.#startedAt = options.broker.status().at
    this.#loopDelay.enable()
    // A failure is the one of the next reader, too, and must not end the process here.
    const observe = () => void this.#observe().catch(() => {})
    observe()
    this.#timer = setInterval(observe, observationIntervalMs).unref()
  }

  async read(): Promise<PageFacts> {
    const { config, notReadyBecause, recentLines, certificates } = this.#options
    const broker = await this.#observe()
    return {
      at: broker.at,
      startedAt: this.#startedAt,
      replica: hostname(),
      version: this.#version,
      node: process.version,
      notReadyBecause: notReadyBecause(),
      configWarnings: config().warnings,
      broker,
      activity: this.#activity.status(),
      certificates: certificates(),
      errors: recentLines?.list(),
      configuration: describeConfig(config()),
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#loopDelay.disable()
  }

  async #observe() {
    const { broker, registry } = this.#options
    const counters = await readCounters(registry)
    const status = broker.status()
    const { hits, misses, evictions } = status.caches.tokens
    const eventLoopLagMs = this.#readLag()
    this.#activity.note({ ...counters, at: status.at, hits, misses, evictions, eventLoopLagMs })
    return status
  }

  /** The lag of the last ten seconds, or of the ten seconds before while they are not over. */
  #readLag(): number {
    const now = performance.now()
    if (now - this.#loopDelaySince < observationIntervalMs) return this.#eventLoopLagMs
    // The histogram has how long each turn of 20 ms took.
    this.#eventLoopLagMs = Math.max(0, this.#loopDelay.percentile(99) / 1e6 - 20)
    this.#loopDelay.reset()
    this.#loopDelaySince = now
    return this.#eventLoopLagMs
  }
}
