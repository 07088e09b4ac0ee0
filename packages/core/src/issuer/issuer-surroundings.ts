import type { BrokerObserver } from '../shared/broker-event.ts'
import type { NextParts } from '../shared/carried-parts.ts'
import { type Clock, momentOf } from '../shared/clock.ts'
import type { Hint } from '../shared/hint.ts'
import type { Transport } from '../shared/http/transport.ts'
import type { LogSampler } from '../shared/log-sampler.ts'
import type { Logger } from '../shared/logger.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { Timers } from '../shared/timers.ts'
import type { Tracer } from '../shared/tracer.ts'
import { ClockSkew, type ClockSkewOptions } from './clock-skew.ts'

/** The surroundings of the parts of one issuer, with the transport of this issuer. */
export class IssuerSurroundings implements Surroundings {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: () => number
  readonly logger: Logger
  readonly sampler: LogSampler
  readonly observe: BrokerObserver
  readonly tracer: Tracer | undefined
  readonly describeHint: (hint: Hint) => string
  readonly clockSkew: ClockSkew
  readonly #broker: Surroundings
  #transport: Transport

  constructor(broker: Surroundings, transport: Transport, skew: ClockSkewOptions) {
    const { clock, timers, random, logger, sampler, observe, tracer, describeHint } = broker
    this.clock = clock
    this.timers = timers
    this.random = random
    this.logger = logger
    this.sampler = sampler
    this.observe = observe
    this.tracer = tracer
    this.describeHint = describeHint
    this.clockSkew = new ClockSkew(this, skew)
    this.#broker = broker
    this.#transport = this.#measured(transport)
  }

  get transport(): Transport {
    return this.#transport
  }

  set transport(transport: Transport) {
    this.#transport = this.#measured(transport)
  }

  get userAgent(): string {
    return this.#broker.userAgent
  }

  get requestTimeoutMs(): number {
    return this.#broker.requestTimeoutMs
  }

  /** Returns a transport that shows each answer to `clockSkew`. */
  #measured(transport: Transport): Transport {
    return async (url, request) => {
      const sentAt = momentOf(this.clock)
      const response = await transport(url, request)
      this.clockSkew.answered(sentAt, response)
      return response
    }
  }
}

/**
 * Returns the surroundings of an issuer, the same ones as long as its name and URLs stay. Another transport then counts for the
 * next request. With another URL they are new: requests under way keep the transport that belongs to their URL.
 */
export function issuerSurroundings(
  parts: NextParts,
  broker: Surroundings,
  issuer: {
    readonly name: string
    readonly urls: readonly unknown[]
    readonly transport: Transport
    /** An option of it, for hints. */
    readonly option: string
  },
): IssuerSurroundings {
  const { name, urls, transport, option } = issuer
  const surroundings = parts.take(
    'issuer',
    name,
    urls,
    () => new IssuerSurroundings(broker, transport, { issuer: name, option }),
  )
  parts.atSwap(() => {
    surroundings.transport = transport
  })
  return surroundings
}
