import type { SharedStoreOperation, SharedStoreOutcome } from '../../shared/broker-event.ts'
import { wallTimeIn } from '../../shared/clock.ts'
import { networkFailureCode } from '../../shared/http/network-failure.ts'
import { Outage } from '../../shared/outage.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import type { SharedStoreStatus } from '../../status/shared-store-status.ts'
import { boundedCall, type CallEnd } from './bounded-call.ts'
import { StoreCircuit } from './store-circuit.ts'

/** One call of a store. */
export interface GuardedCall<T> {
  readonly operation: SharedStoreOperation
  readonly timeoutMs: number
  ask(): unknown
  /** Reads the answer; `undefined` when it is not an answer of a store. */
  read(answer: unknown): StoreReading<T> | undefined
}

/** The meaning of an answer: its outcome for metrics, and its value. */
export interface StoreReading<T> {
  readonly outcome: SharedStoreOutcome
  readonly value: T
}

/** Makes the calls of a store: bounded in time, reported to the observer, and none while its circuit is open. */
export class StoreGuard {
  readonly #surroundings: Surroundings
  readonly #circuit: StoreCircuit
  readonly #outage: Outage
  readonly #probe: () => Promise<unknown>
  #probeTimer: { cancel(): void } | undefined
  #isClosed = false
  /** Of the last failed call. */
  #cause: string | undefined

  /** `probe` makes a call that changes nothing, when nobody else has made the one that is due. */
  constructor(surroundings: Surroundings, probe: () => Promise<unknown>) {
    this.#surroundings = surroundings
    this.#probe = probe
    this.#circuit = new StoreCircuit(surroundings.clock)
    this.#outage = new Outage(surroundings.clock)
  }

  /** Makes a call; `undefined` when it has no readable answer. Never rejects. */
  async call<T>({ operation, timeoutMs, ask, read }: GuardedCall<T>): Promise<T | undefined> {
    const { observe, clock, timers } = this.#surroundings
    const attempt = this.#circuit.begin()
    if (attempt === undefined) {
      this.#outage.lookupsFailed(1)
      observe({ type: 'shared_store', operation, outcome: 'open', durationMs: 0 })
      return undefined
    }
    const startedAt = clock.monotonic()
    const end = await boundedCall(ask, timeoutMs, timers.waitedFor)
    const durationMs = clock.monotonic() - startedAt
    if (end.kind !== 'answered') {
      observe({ type: 'shared_store', operation, outcome: end.kind, durationMs })
      this.#outage.attemptFailed()
      this.#cause = causeOf(end)
      if (attempt.failed(end.kind === 'timeout')) this.#opened(operation)
      return undefined
    }
    const { outcome, value } = safelyRead(read, end.answer)
    observe({ type: 'shared_store', operation, outcome, durationMs })
    if (attempt.succeeded()) this.#closed()
    else if (!this.#circuit.isOpen) this.#outage.end()
    if (outcome === 'unreadable') this.#noteUnreadable(operation)
    return value
  }

  status(): SharedStoreStatus {
    const { state, retryAfterMs } = this.#circuit
    const period = this.#outage.period()
    return {
      circuit: state,
      nextProbeAt: state === 'closed' ? undefined : wallTimeIn(retryAfterMs, this.#surroundings.clock),
      outage: period && { ...period, cause: this.#cause },
    }
  }

  /** Ends the reports about the circuit; an open one is reported as closed. Calls under way may still end. */
  close(): void {
    if (!this.#isClosed && this.#circuit.isOpen) {
      this.#surroundings.observe({ type: 'shared_store_circuit', outcome: 'closed' })
    }
    this.#isClosed = true
    this.#probeTimer?.cancel()
  }

  /**
   * Probes also a store that nobody calls, because calls are rare while tokens are cached: the circuit would stay open for long, and a
   * caller would wait for the probe.
   */
  #probeLater(): void {
    const probe = async () => {
      if (this.#circuit.isProbeDue) await this.#probe()
      if (this.#circuit.isOpen && !this.#isClosed) this.#probeLater()
    }
    const pauseMs = Math.max(1, Math.ceil(this.#circuit.retryAfterMs))
    this.#probeTimer = this.#surroundings.timers.background(() => void probe(), pauseMs)
  }

  #opened(operation: SharedStoreOperation): void {
    if (this.#isClosed) return
    this.#probeLater()
    const { observe, logger, describeHint } = this.#surroundings
    observe({ type: 'shared_store_circuit', outcome: 'opened' })
    const retryAfterMs = Math.ceil(this.#circuit.retryAfterMs)
    const hint = describeHint({ problem: 'store_failing', option: 'sharedStore.store' })
    logger.warn(
      { operation, cause: this.#cause, retryAfterMs, hint },
      'shared store is failing; circuit opened',
    )
  }

  #closed(): void {
    this.#probeTimer?.cancel()
    if (this.#isClosed) return
    const { observe, logger } = this.#surroundings
    observe({ type: 'shared_store_circuit', outcome: 'closed' })
    const report = this.#outage.end()
    logger.info(
      {
        failedForMs: report?.failedForMs,
        failedCalls: report?.failedAttempts,
        skippedCalls: report?.failedLookups,
      },
      'shared store answers again; circuit closed',
    )
  }

  #noteUnreadable(operation: SharedStoreOperation): void {
    const { sampler, logger, describeHint } = this.#surroundings
    sampler.note('shared_store_unreadable', count => {
      const hint = describeHint({ problem: 'store_unreadable', option: 'sharedStore.keys' })
      logger.warn({ operation, count, hint }, 'answer of the shared store is unreadable')
    })
  }
}

/** Only the code: an error of a client for a store can contain its password. */
function causeOf(end: Exclude<CallEnd, { readonly kind: 'answered' }>): string | undefined {
  return end.kind === 'timeout' ? 'timeout' : codeOf(end.error)
}

/** An error can be an object that throws when it is looked at. */
function codeOf(error: unknown): string | undefined {
  try {
    return networkFailureCode(error)
  } catch {
    return undefined
  }
}

/** An answer can be an object that throws when it is looked at. */
function safelyRead<T>(
  read: GuardedCall<T>['read'],
  answer: unknown,
): { readonly outcome: SharedStoreOutcome; readonly value: T | undefined } {
  const unreadable = { outcome: 'unreadable', value: undefined } as const
  try {
    return read(answer) ?? unreadable
  } catch {
    return unreadable
  }
}
