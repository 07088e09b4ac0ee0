import { BrokerError } from '../../shared/errors.ts'
import { Lane } from './lane.ts'

/** The weight of the last request in the measured latency. */
const latencyWeight = 0.2
/** A request may wait when its answer is expected within this part of the longest wait: an estimate can be wrong. */
const expectedPart = 0.8
/** Fraction of all slots for one accepted client, and for all unknown clients together. */
const clientPart = 0.5
/** Limit of slots for a client id that Dex has not accepted, whatever its secrets. */
const maxRunningPerStranger = 4
const maxWaitingPerStranger = 32

export interface SlotsOptions {
  /** Limit of concurrent requests. */
  readonly max: number
  /** Limit of waiting requests: a bound on memory. */
  readonly maxWaiting: number
  /** The longest wait for a slot, in milliseconds. */
  readonly maxWaitMs: number
}

/** The client that requests a slot. */
export interface Applicant {
  /** Identifies the client. */
  readonly client: string
  /** Whether Dex has accepted the client before. */
  readonly isAccepted: boolean
}

/**
 * Limits the concurrent requests to Dex and queues the others. Accepted clients go first, and unknown clients use at most
 * half of the slots, so that made-up credentials block no accepted client.
 *
 * Rejects a request at once that could not be served in time. A wait in this queue is not a failure of Dex.
 */
export class Slots {
  readonly #options: SlotsOptions
  readonly #accepted: Lane
  readonly #unknown: Lane
  #running = 0
  /** Measured, in milliseconds; 0 until the first request has ended. */
  #latencyMs = 0

  constructor(options: SlotsOptions) {
    const { max, maxWaiting } = options
    const half = Math.max(1, Math.floor(max * clientPart))
    this.#options = options
    this.#accepted = new Lane({
      maxRunning: max,
      maxRunningPerClient: half,
      maxWaiting,
      maxWaitingPerClient: maxWaiting,
    })
    this.#unknown = new Lane({
      maxRunning: half,
      maxRunningPerClient: Math.min(half, maxRunningPerStranger),
      maxWaiting: Math.ceil(maxWaiting / 2),
      maxWaitingPerClient: maxWaitingPerStranger,
    })
  }

  status(): { readonly running: number; readonly waiting: number; readonly maxRunning: number } {
    const waiting = this.#accepted.waiting + this.#unknown.waiting
    return { running: this.#running, waiting, maxRunning: this.#options.max }
  }

  /**
   * Takes a slot: returns `undefined` when one is free, else a promise. It rejects with `overloaded` after the longest wait, at
   * once when the wait would be longer, and with the signal's reason.
   */
  enter(applicant: Applicant, signal: AbortSignal): Promise<void> | undefined {
    const { client } = applicant
    const lane = this.#laneOf(applicant)
    if (this.#running < this.#options.max && lane.hasRoomFor(client)) {
      this.#start(lane, client)
      return undefined
    }
    const expectedMs = lane.expectedWaitMs(client, this.#latencyMs)
    const isTooLong = expectedMs + this.#latencyMs > this.#options.maxWaitMs * expectedPart
    if (isTooLong || !lane.mayWait(client)) return Promise.reject(saturated(expectedMs))
    return this.#wait(lane, client, signal)
  }

  /** Releases a slot; `tookMs` is the duration of the request. */
  leave(applicant: Applicant, tookMs: number): void {
    // No request takes longer, but a suspended machine measures more.
    const latencyMs = Math.min(tookMs, this.#options.maxWaitMs)
    this.#latencyMs += (this.#latencyMs === 0 ? 1 : latencyWeight) * (latencyMs - this.#latencyMs)
    this.#laneOf(applicant).end(applicant.client)
    this.#running--
    this.#callIn()
  }

  #laneOf({ isAccepted }: Applicant): Lane {
    return isAccepted ? this.#accepted : this.#unknown
  }

  #start(lane: Lane, client: string): void {
    lane.start(client)
    this.#running++
  }

  #callIn(): void {
    while (this.#running < this.#options.max) {
      const waiter = this.#accepted.next() ?? this.#unknown.next()
      if (waiter === undefined) return
      waiter.enter()
    }
  }

  #wait(lane: Lane, client: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        lane.remove(waiter)
      }
      const waiter = {
        client,
        enter: () => {
          done()
          this.#start(lane, client)
          resolve()
        },
      }
      const onAbort = () => {
        done()
        reject(signal.reason)
      }
      const timer = setTimeout(() => {
        done()
        reject(saturated(this.#options.maxWaitMs))
      }, this.#options.maxWaitMs)
      signal.addEventListener('abort', onAbort)
      lane.add(waiter)
    })
  }
}

/** The broker's own queue is full or too slow. */
function saturated(expectedMs: number): BrokerError {
  return new BrokerError('overloaded', 'too many token requests', {
    retryAfterMs: Math.max(1_000, Math.ceil(expectedMs)),
    transient: true,
  })
}
