import type { BrokerError, CheckRequest, Verdict } from '@broker/core'
import type { Logger } from 'pino'
import type { BrokerMetrics } from './admin/broker-metrics.ts'
import type { CheckListener, CheckProtocol } from './checks.ts'
import type { GrpcFault } from './grpc/grpc-fault.ts'

/** A network scanner must not fill the log. */
const quietMs = 60_000

/** The type of a TLS record with a handshake (RFC 8446 section 5.1), the first byte of every TLS connection. */
const tlsHandshake = 0x16

/** The checks that get a line each at INFO. */
export type AccessLog = 'off' | 'refused' | 'all'

/** The lines that are written at most once in a minute. */
type QuietKind = 'unknown_target' | 'request_line' | 'tls_without_tls' | GrpcFault

const grpcFaultHint =
  'compare the cluster of Envoy with docs/envoy.md, and find out who else reaches the gRPC listener'

/** Counts and logs what the check listeners answer. */
export class CheckLog implements CheckListener {
  readonly #metrics: BrokerMetrics
  readonly #logger: Logger
  #accessLog: AccessLog
  /** Asked once, because every check needs it. */
  #wantsDetails = false
  /** When a line may be written again, by what it is about. */
  readonly #quietUntil = new Map<QuietKind, number>()

  constructor(metrics: BrokerMetrics, logger: Logger, accessLog: AccessLog) {
    this.#metrics = metrics
    this.#logger = logger
    this.#accessLog = accessLog
    this.levelChanged()
  }

  get wantsDetails(): boolean {
    return this.#wantsDetails
  }

  set accessLog(accessLog: AccessLog) {
    this.#accessLog = accessLog
    this.levelChanged()
  }

  /** Tells that the logger has another level. */
  levelChanged(): void {
    const level = this.#accessLog === 'off' ? 'debug' : 'info'
    this.#wantsDetails = this.#logger.isLevelEnabled(level)
  }

  /** An arrow function, so that it can be passed on. */
  readonly onVerdict = (
    verdict: Verdict,
    request: CheckRequest,
    protocol: CheckProtocol,
    durationMs: number | undefined,
  ): void => {
    this.#metrics.countCheck(verdict, protocol, durationMs)
    if (this.#wantsDetails) this.#log(verdict, request, durationMs)
  }

  /** Logs a refusal that the broker does not log. */
  readonly onUnseen = ({ code, status, message }: BrokerError, request: CheckRequest): void => {
    if (request.facts !== undefined) request.facts.reason = message
    if (this.#isQuiet('request_line')) return
    this.#logger.info(
      { ...request.logFields, code, status, reason: message },
      'check refused: its request line is malformed',
    )
  }

  /** An arrow function, so that it can be passed on. */
  readonly onUnknownTarget = (logFields: object): void => {
    this.#metrics.countUnknownTarget()
    if (this.#isQuiet('unknown_target')) return
    this.#logger.warn(
      { ...logFields, hint: 'set path_prefix to /check in Envoy, or path in the SecurityPolicy' },
      'request outside /check answered with 404',
    )
  }

  /** Notices callers that speak TLS to a listener without it. An arrow function, so that it can be passed on. */
  readonly onClientError = ({ rawPacket }: { readonly rawPacket?: Uint8Array }): void => {
    if (rawPacket?.[0] !== tlsHandshake || this.#isQuiet('tls_without_tls')) return
    const hint =
      'set TLS_CERT_FILE and TLS_KEY_FILE, or remove transport_socket from the cluster of the caller'
    this.#logger.warn({ hint }, 'caller speaks TLS to a listener without TLS')
  }

  /** An arrow function, so that it can be passed on. */
  readonly onGrpcFault = (fault: GrpcFault): void => {
    this.#metrics.countGrpcFault(fault)
    if (this.#isQuiet(fault)) return
    this.#logger.warn({ fault, hint: grpcFaultHint }, 'gRPC call or connection ended without a verdict')
  }

  /** Path, query and host are left out: they belong to a person, and Envoy's access log has them under the same request id. */
  #log(verdict: Verdict, { facts, logFields }: CheckRequest, durationMs: number | undefined): void {
    const { outcome } = verdict
    const isAllowed = outcome === 'allow'
    const isAccess = this.#accessLog === 'all' || (this.#accessLog === 'refused' && !isAllowed)
    const fields = {
      ...logFields,
      outcome,
      code: isAllowed ? undefined : verdict.code,
      status: isAllowed ? 200 : verdict.status,
      reason: facts?.reason,
      rule: verdict.rule ?? facts?.rule,
      client: facts?.client,
      cache: facts?.cache,
      durationMs: durationMs && Math.round(durationMs * 1_000) / 1_000,
    }
    if (isAccess) this.#logger.info(fields, 'check')
    else this.#logger.debug(fields, 'check')
  }

  /** Returns whether a line of this kind was written a moment ago; if not, the next ones are not written. */
  #isQuiet(kind: QuietKind): boolean {
    const now = performance.now()
    if (now < (this.#quietUntil.get(kind) ?? 0)) return true
    this.#quietUntil.set(kind, now + quietMs)
    return false
  }
}
