import { BrokerError } from '../../shared/errors.ts'
import { Lane } from './lane.ts'

/** The weight of the last request in the measured latency. */
const latencyWeight = 0.2
/** A request is let in when its answer is expected within this part of the longest wait: an estimate can be wrong. */
const expectedPart = 0.8
/** One client that Dex accepts: at most this part of all slots. */
const clientPart = 0.5
/** A client id that Dex has never accepted: few slots, whatever secrets come with it. */
const maxRunningPerStranger = 4
const maxWaitingPerStranger = 32

export interface SlotsOptions {
  /** Requests at the same time. */
  readonly max: number
  /** Requests that wait, at most: a bound on memory. */
  readonly maxWaiting: number
  /** The longest wait for a slot, in milliseconds. */
  readonly maxWaitMs: number
}

/** Who asks for a slot. */
export interface Applicant {
  /** What the requests of one client have in common. */
  readonly client: string
  /** Whether Dex has accepted the client before. */
  readonly isAccepted: boolean
}

/**
 * The requests that may be at Dex at the same time, and the line before them. Clients that Dex has accepted before go
 * ahead, and strangers have half of the slots: made-up credentials can fill their half, and shut nobody out.
 *
 * Whoever could not be served in time is turned away at once. The line is ours: a wait in it says nothing about Dex.
 */
export class Slots {
  readonly #options: SlotsOptions
  readonly #accepted: Lane
  readonly #strangers: Lane
  #running = 0
  /** In milliseconds, measured; 0 until the first request has ended. */
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
    this.#strangers = new Lane({
      maxRunning: half,
      maxRunningPerClient: Math.min(half, maxRunningPerStranger),
      maxWaiting: Math.ceil(maxWaiting / 2),
      maxWaitingPerClient: maxWaitingPerStranger,
    })
  }

  /**
   * Takes a slot: `undefined` when there is one, else a promise of it. It rejects with `overloaded` after the longest wait, and
   * at once when the wait would be longer; and with the signal's reason.
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

  /** Gives a slot back; `tookMs`: how long the request was at Dex. */
  leave(applicant: Applicant, tookMs: number): void {
    // No request takes longer; a machine that was suspended would say so.
    const latencyMs = Math.min(tookMs, this.#options.maxWaitMs)
    this.#latencyMs += (this.#latencyMs === 0 ? 1 : latencyWeight) * (latencyMs - this.#latencyMs)
    this.#laneOf(applicant).end(applicant.client)
    this.#running--
    this.#callIn()
  }

  #laneOf({ isAccepted }: Applicant): Lane {
    return isAccepted ? this.#accepted : this.#strangers
  }

  #start(lane: Lane, client: string): void {
    lane.start(client)
    this.#running++
  }

  #callIn(): void {
    while (this.#running < this.#options.max) {
      const waiter = this.#accepted.next() ?? this.#strangers.next()
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

/** Our own line is full, or too slow; Dex has not heard of it. */
function saturated(expectedMs: number): BrokerError {
  return new BrokerError('overloaded', 'too many token requests', {
    retryAfterMs: Math.max(1_000, Math.ceil(expectedMs)),
    transient: true,
  })
}
