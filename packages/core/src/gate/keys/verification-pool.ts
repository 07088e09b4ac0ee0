import { BrokerError } from '../../shared/errors.ts'

export interface VerificationPoolOptions {
  /** Verifications in Node's thread pool at the same time. */
  readonly maxRunning: number
  /** Verifications that wait for their turn. */
  readonly maxWaiting: number
}

/**
 * Bounds the signatures that are verified in Node's thread pool: names are resolved there too, and each one that waits
 * holds a JWT. Who comes when the queue is full gets `overloaded` at once.
 */
export class VerificationPool {
  readonly #options: VerificationPoolOptions
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(options: VerificationPoolOptions) {
    this.#options = options
  }

  async run<T>(verification: () => Promise<T>): Promise<T> {
    const { maxRunning, maxWaiting } = this.#options
    if (this.#running < maxRunning) this.#running++
    else if (this.#waiting.length >= maxWaiting) throw tooManySignatures()
    // Whoever ends hands its place on.
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await verification()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}

function tooManySignatures(): BrokerError {
  return new BrokerError('overloaded', 'too many signatures are being verified', {
    retryAfterMs: 1_000,
    transient: true,
  })
}
