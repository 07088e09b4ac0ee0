import type { BrokerObserver } from './broker-event.ts'
import type { Clock } from './clock.ts'
import type { Hint } from './hint.ts'
import type { Transport } from './http/transport.ts'
import type { LogSampler } from './log-sampler.ts'
import type { Logger } from './logger.ts'
import type { Timers } from './timers.ts'
import type { Tracer } from './tracer.ts'

/**
 * The dependencies that all parts of a broker share. Injected as a whole. A reconfiguration replaces `transport`, `userAgent`
 * and `requestTimeoutMs` in place: read them at each use.
 */
export interface Surroundings {
  readonly transport: Transport
  /** The `User-Agent` of each request. */
  readonly userAgent: string
  readonly clock: Clock
  /** The timers of the work with the shared store, where their order relative to its answers counts. */
  readonly timers: Timers
  /** Returns a number from 0 up to 1, like `Math.random`. */
  readonly random: () => number
  readonly logger: Logger
  /** For log lines that unauthenticated callers can cause. */
  readonly sampler: LogSampler
  /** Never throws. */
  readonly observe: BrokerObserver
  /** `undefined`: nothing is traced. */
  readonly tracer: Tracer | undefined
  /** Words a hint for the log, with the option names that the operator knows. */
  readonly describeHint: (hint: Hint) => string
  /** Limit of each request to an upstream, retries included, and of every wait; in milliseconds. */
  readonly requestTimeoutMs: number
}

/** The surroundings of a broker, whose changeable members its own methods replace. */
export interface LiveSurroundings extends Surroundings {
  transport: Transport
  userAgent: string
  requestTimeoutMs: number
}
