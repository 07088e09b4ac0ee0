import type { ServerResponse } from 'node:http'
import { finished } from 'node:stream'
import { clientGone, onAnswerOver } from './client-gone.ts'

/**
 * The signal of a call: aborts with the call's own signal, and when the client closes the connection, with the same reason.
 *
 * Replaces `AbortSignal.any`, which leaks memory in Node with a long-lived signal. Its listeners stay until the response has
 * been read, or until `release`.
 */
export class CallSignal {
  readonly #controller: AbortController = new AbortController()
  readonly #own: AbortSignal
  readonly #gone: AbortSignal
  readonly #answer: ServerResponse

  constructor(own: AbortSignal, answer: ServerResponse) {
    this.#own = own
    this.#gone = clientGone(answer)
    this.#answer = answer
    const aborted = [own, this.#gone].find(signal => signal.aborted)
    if (aborted !== undefined) {
      this.#controller.abort(aborted.reason)
      return
    }
    own.addEventListener('abort', this.#onAbort)
    this.#gone.addEventListener('abort', this.#onAbort)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Removes the listeners when a response has been read, or when the answer ends before anything reads it. */
  releaseAfter(response: Response): void {
    if (response.body === null) {
      this.release()
      return
    }
    const over = onAnswerOver(this.#answer, () => {
      if (!response.bodyUsed) this.release()
    })
    finished(response.body, () => {
      over.stop()
      this.release()
    })
  }

  release(): void {
    this.#own.removeEventListener('abort', this.#onAbort)
    this.#gone.removeEventListener('abort', this.#onAbort)
  }

  readonly #onAbort = (event: Event): void => {
    this.release()
    this.#controller.abort((event.target as AbortSignal).reason)
  }
}
