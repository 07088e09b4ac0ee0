import type { BrokerObserver } from './broker-event.ts'
import type { Clock } from './clock.ts'
import type { Hint } from './hint.ts'
import type { Transport } from './http/transport.ts'
import type { LogSampler } from './log-sampler.ts'
import type { Logger } from './logger.ts'

/** What is around a broker and the same for all of its parts: injected, and passed on as a whole. */
export interface Surroundings {
  readonly transport: Transport
  /** How the broker calls itself in each request. */
  readonly userAgent: string
  readonly clock: Clock
  /** From 0 up to 1, as `Math.random`. */
  readonly random: () => number
  readonly logger: Logger
  /** For lines that strangers can cause. */
  readonly sampler: LogSampler
  /** Never throws. */
  readonly observe: BrokerObserver
  /** Puts a hint into the words of the way in, for the log. */
  readonly describeHint: (hint: Hint) => string
  /** Bounds each request to an upstream, retries included, and every wait; in milliseconds. */
  readonly requestTimeoutMs: number
}
