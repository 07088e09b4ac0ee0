import { Backoff } from '../shared/backoff.ts'
import type { Clock } from '../shared/clock.ts'
import { logText } from '../shared/log-text.ts'
import { RequestWithDeadline } from '../shared/request-with-deadline.ts'
import { clientSecretProblem } from './client-secret.ts'
import type { SecretSource } from './secret-source.ts'

/** A function that fails, or repeats a refused secret, is called about once a second. */
export const secretPauses = { firstMs: 1_000, maxMs: 1_000 }

/** The outcome of a call: a secret, or the reason why there is none, which names no secret of a well-behaved function. */
export type SecretOutcome = { readonly secret: string } | { readonly problem: string }

/** Tells why a result cannot be used, in words that follow it; `undefined` when it can. */
export type ResultProblem = (result: unknown) => string | undefined

/** The function that returns the secret of a client. Bounds each call, and judges its result. */
export class SecretFunction {
  readonly source: SecretSource
  readonly #problemOf: ResultProblem
  readonly #backoff: Backoff
  #call: RequestWithDeadline<SecretOutcome> | undefined

  constructor(source: SecretSource, clock: Clock, problemOf: ResultProblem = clientSecretProblem) {
    this.source = source
    this.#problemOf = problemOf
    this.#backoff = new Backoff(secretPauses, clock)
  }

  /** Milliseconds until the next call is due; 0 when it is due. */
  get pauseMs(): number {
    return this.#backoff.remainingMs
  }

  /** Puts the next call off. */
  pause(): void {
    this.#backoff.failed()
  }

  /** Calls the function. Rejects only with the reason of `close`. */
  call(isRefused: boolean, timeoutMs: number): Promise<SecretOutcome> {
    this.#call = new RequestWithDeadline(timeoutMs, signal => this.#outcome(isRefused, signal, timeoutMs))
    return this.#call.settled
  }

  /** Ends the call under way. */
  close(reason: Error): void {
    this.#call?.abort(reason)
  }

  async #outcome(isRefused: boolean, signal: AbortSignal, timeoutMs: number): Promise<SecretOutcome> {
    try {
      const secret: unknown = await orAborted(this.#ask(isRefused, signal), signal)
      const problem = this.#problemOf(secret)
      if (problem !== undefined) return { problem: `its result ${problem}` }
      return { secret: secret as string }
    } catch (error) {
      if (!signal.aborted) return { problem: `it failed${messageOf(error)}` }
      if (isTimeout(signal.reason)) return { problem: `no result within ${timeoutMs} ms` }
      throw signal.reason
    }
  }

  async #ask(isRefused: boolean, signal: AbortSignal): Promise<unknown> {
    return this.source({ signal, isRefused })
  }
}

/** A function can ignore its signal. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, reject)
  })
}

/** The message alone: the properties of an HTTP client's error hold headers with credentials. */
function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? `: ${logText(error.message)}` : ''
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}
