import type { Dispatcher } from 'undici'
import type { StableController } from './stable-controller.ts'

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2]

/**
 * A response whose headers arrived and which is not passed on yet. Its connection is paused; data that arrives nevertheless,
 * because the peer closed, is kept.
 */
export class HeldResponse {
  readonly controller: Dispatcher.DispatchController
  drainedBytes = 0
  readonly #statusCode: number
  readonly #headers: Headers
  readonly #statusMessage: string | undefined
  readonly #chunks: Buffer[] = []
  #trailers: Headers | undefined
  #error: Error | undefined

  constructor(
    controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Headers,
    statusMessage: string | undefined,
  ) {
    this.controller = controller
    this.#statusCode = statusCode
    this.#headers = headers
    this.#statusMessage = statusMessage
  }

  /** Whether the response is complete. */
  get isOver(): boolean {
    return this.#trailers !== undefined || this.#error !== undefined
  }

  addData(chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  end(trailers: Headers): void {
    this.#trailers = trailers ?? {}
  }

  fail(error: Error): void {
    this.#error = error
  }

  /** Passes the headers to `handler`, and the data that arrived since then through `rest`. */
  passOn(
    rest: Required<Pick<Dispatcher.DispatchHandler, 'onResponseData' | 'onResponseEnd' | 'onResponseError'>>,
    handler: Dispatcher.DispatchHandler,
    controller: StableController,
  ): void {
    try {
      handler.onResponseStart?.(controller, this.#statusCode, this.#headers, this.#statusMessage)
      for (const chunk of this.#chunks) rest.onResponseData(this.controller, chunk)
      if (this.#error !== undefined) rest.onResponseError(this.controller, this.#error)
      else if (this.#trailers !== undefined) rest.onResponseEnd(this.controller, this.#trailers)
    } catch (error) {
      // Like undici for a handler that throws.
      controller.abort(error as Error)
    }
    if (!controller.pausedByHandler) this.controller.resume()
  }
}
