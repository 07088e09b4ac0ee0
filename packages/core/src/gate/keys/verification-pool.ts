import { BrokerError } from '../../shared/errors.ts'

export interface VerificationPoolOptions {
  /** Limit of concurrent verifications. */
  readonly maxRunning: number
  /** Limit of waiting verifications. */
  readonly maxWaiting: number
}

/**
 * Limits the verifications in Node's thread pool, which also resolves host names. Each waiting verification keeps a JWT in
 * memory. Rejects with `overloaded` at once when the queue is full.
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
    // A verification that ends hands its place to the next one.
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
