import type { ServerResponse } from 'node:http'
import { finished } from 'node:stream'
import { clientGone, onAnswerOver } from './client-gone.ts'

/**
 * One call's signal: aborts with its own one, and when the client leaves, each with its reason.
 *
 * By hand, because `AbortSignal.any` with a signal that lives long leaks memory in Node. The listener on the own signal
 * stays as long as there is something to abort: until the response has been read, or `release`.
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

  /** Releases when a response has been read, or when the answer is over and nobody has begun to read it. */
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
