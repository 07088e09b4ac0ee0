import { CallLimit } from '../../shared/call-limit.ts'
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
  readonly #calls: CallLimit
  readonly #maxWaiting: number

  constructor({ maxRunning, maxWaiting }: VerificationPoolOptions) {
    this.#calls = new CallLimit(maxRunning)
    this.#maxWaiting = maxWaiting
  }

  async run<T>(verification: () => Promise<T>): Promise<T> {
    if (!this.#calls.hasRoom && this.#calls.waiting >= this.#maxWaiting) throw tooManySignatures()
    return this.#calls.run(verification)
  }
}

function tooManySignatures(): BrokerError {
  return new BrokerError('overloaded', 'too many signatures are being verified', {
    retryAfterMs: 1_000,
    transient: true,
  })
}
