import { brokerClosed } from '../shared/broker-closed.ts'
import type { SecretFunction } from './secret-function.ts'

/** The calls of secret functions under way in a broker, also of clients that a reconfiguration removed. */
export class SecretCalls {
  readonly #underWay = new Set<SecretFunction>()
  #isClosed = false

  /** Whether the broker is closed, so that no call may begin. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Notes the calls of a function until `call` settles. */
  async note<T>(of: SecretFunction, call: Promise<T>): Promise<T> {
    this.#underWay.add(of)
    try {
      return await call
    } finally {
      this.#underWay.delete(of)
    }
  }

  /** Ends the calls under way. */
  close(): void {
    this.#isClosed = true
    for (const each of this.#underWay) each.close(brokerClosed('token_endpoint_unavailable'))
  }
}
