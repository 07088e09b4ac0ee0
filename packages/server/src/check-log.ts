import type { CheckRequest, Verdict } from '@broker/core'
import type { Logger } from 'pino'
import type { BrokerMetrics } from './admin/broker-metrics.ts'
import type { CheckProtocol, VerdictListener } from './checks.ts'
import type { GrpcFault } from './grpc/grpc-fault.ts'
import { traceOf } from './trace-of.ts'

/** A network scanner must not fill the log. */
const quietMs = 60_000

/** Counts and logs what the check listener answers. */
export class CheckLog {
  readonly #metrics: BrokerMetrics
  readonly #logger: Logger
  /** Asked once, because every check needs it. */
  #logsChecks: boolean
  /** When a line may be written again, by what it is about. */
  readonly #quietUntil = new Map<'unknown_target' | GrpcFault, number>()

  constructor(metrics: BrokerMetrics, logger: Logger) {
    this.#metrics = metrics
    this.#logger = logger
    this.#logsChecks = logger.isLevelEnabled('debug')
  }

  /** Tells that the logger has another level. */
  levelChanged(): void {
    this.#logsChecks = this.#logger.isLevelEnabled('debug')
  }

  /** An arrow function, so that it can be passed on. */
  readonly onVerdict: VerdictListener = (
    verdict: Verdict,
    request: CheckRequest,
    protocol: CheckProtocol,
    durationMs: number | undefined,
  ) => {
    this.#metrics.countCheck(verdict, protocol, durationMs)
    if (!this.#logsChecks) return
    const { outcome, rule } = verdict
    const code = outcome === 'allow' ? undefined : verdict.code
    this.#logger.debug({ outcome, code, rule, protocol, ...traceOf(request) }, 'check')
  }

  /** An arrow function, so that it can be passed on. */
  readonly onUnknownTarget = (): void => {
    this.#metrics.countUnknownTarget()
    if (this.#isQuiet('unknown_target')) return
    this.#logger.warn(
      'request outside /check answered with 404; set path_prefix to /check in Envoy, or path in the SecurityPolicy',
    )
  }

  /** An arrow function, so that it can be passed on. */
  readonly onGrpcFault = (fault: GrpcFault): void => {
    this.#metrics.countGrpcFault(fault)
    if (this.#isQuiet(fault)) return
    this.#logger.warn({ fault }, 'gRPC call or connection ended without a verdict')
  }

  /** Returns whether a line of this kind was written a moment ago; if not, the next ones are not written. */
  #isQuiet(kind: 'unknown_target' | GrpcFault): boolean {
    const now = performance.now()
    if (now < (this.#quietUntil.get(kind) ?? 0)) return true
    this.#quietUntil.set(kind, now + quietMs)
    return false
  }
}
