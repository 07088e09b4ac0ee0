import type { Dispatcher } from 'undici'
import type { TransportRequest, TransportResponse } from '../shared/http/transport.ts'

type Controller = Dispatcher.DispatchController
type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2]

interface Settle {
  resolve(response: TransportResponse): void
  reject(reason: unknown): void
}

/** Collects a response of undici, with as many bytes of its body as the broker reads. */
export class CollectedResponse implements Dispatcher.DispatchHandler {
  readonly #settle: Settle
  readonly #signal: AbortSignal
  readonly #maxBodyBytes: number
  readonly #onAbort = () => this.#abort()
  readonly #chunks: Buffer[] = []
  #length = 0
  #status = 0
  #headers: Headers = {}
  #controller: Controller | undefined

  constructor({ signal, maxBodyBytes = Number.POSITIVE_INFINITY }: TransportRequest, settle: Settle) {
    this.#settle = settle
    this.#signal = signal
    this.#maxBodyBytes = maxBodyBytes
    if (signal.aborted) settle.reject(signal.reason)
    else signal.addEventListener('abort', this.#onAbort)
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller
    // Aborted while the request waited for a connection.
    if (this.#signal.aborted) this.#abort()
  }

  /** Called for interim responses (RFC 9110 section 15.2) as well; the last call is for the final one. */
  onResponseStart(_: Controller, status: number, headers: Headers): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (this.#length <= this.#maxBodyBytes) return
    this.#respond()
    controller.abort(new Error('the body is longer than the broker reads'))
  }

  onResponseEnd(): void {
    this.#respond()
  }

  onResponseError(_: Controller, error: Error): void {
    this.#release()
    this.#settle.reject(error)
  }

  #respond(): void {
    this.#release()
    const headers = this.#headers
    const [first] = this.#chunks
    this.#settle.resolve({
      status: this.#status,
      headers: { get: name => firstValue(headers[name]) },
      body: first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks),
    })
  }

  #abort(): void {
    this.#release()
    const { reason } = this.#signal
    this.#settle.reject(reason)
    this.#controller?.abort(reason)
  }

  #release(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
  }
}

function firstValue(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null
}
