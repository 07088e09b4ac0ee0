import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { CallTokens } from '../outbound/call-tokens.ts'
import { maxDrainedBytes, maxDrainMs } from '../outbound/drain-response.ts'
import { refusesToken } from '../outbound/refuses-token.ts'
import type { IssuedToken } from '../tokens/issued-token.ts'
import { type HeaderLines, withHeaders } from './dispatch-headers.ts'
import { HeldResponse } from './held-response.ts'
import { StableController } from './stable-controller.ts'

type Controller = Dispatcher.DispatchController
type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2]

/** A dispatch with a token. */
export interface TokenDispatch {
  readonly dispatch: Dispatcher.Dispatch
  readonly opts: Dispatcher.DispatchOptions & { readonly signal?: unknown }
  /** The caller's headers. */
  readonly headers: HeaderLines
  readonly handler: Dispatcher.DispatchHandler
  readonly tokens: CallTokens
  /** The longest body to send again after a 401, in bytes. */
  readonly maxReplayBytes: number
}

/**
 * Sits between undici and the caller's handler. Gets a token, dispatches, and after a 401 dispatches again with a new token.
 * The caller's handler sees one request and one response.
 *
 * Phases: `waiting` for a token; `sending`, including the response that is passed on; `holding` a 401 while a new token is
 * requested; `draining` it before the second dispatch; `over`.
 */
export class TokenHandler implements Dispatcher.DispatchHandler {
  readonly #call: TokenDispatch
  readonly #handler: Dispatcher.DispatchHandler
  readonly #controller: StableController = new StableController(reason => this.#abort(reason))
  #phase: 'waiting' | 'sending' | 'holding' | 'draining' | 'over' = 'waiting'
  #begun = false
  #mayRetry = true
  #token: IssuedToken | undefined
  #held: HeldResponse | undefined
  #drainTimer: NodeJS.Timeout | undefined

  constructor(call: TokenDispatch) {
    this.#call = call
    this.#handler = call.handler
  }

  /** Dispatches and returns the result of `dispatch`: whether the dispatcher accepts more at once. */
  send(): boolean {
    const token = this.#call.tokens.get(this.#signal)
    if (!(token instanceof Promise)) return this.#dispatch(token)
    // The caller's handler gets its controller now, so that it can abort the wait.
    this.#begin(undefined)
    token.then(
      issued => this.#phase === 'waiting' && this.#dispatchLate(issued),
      (error: Error) => this.#fail(error),
    )
    return true
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#controller.target = controller
    if (this.#phase === 'over') controller.abort(this.#controller.reason ?? new Error('aborted'))
    else this.#begin(context)
  }

  onRequestUpgrade(_: Controller, statusCode: number, headers: Headers, socket: Duplex): void {
    this.#handler.onRequestUpgrade?.(this.#controller, statusCode, headers, socket)
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.()
  }

  onBodySent(chunk: Buffer): void {
    this.#handler.onBodySent?.(chunk)
  }

  onRequestSent(): void {
    this.#handler.onRequestSent?.()
  }

  onResponseStart(
    controller: Controller,
    statusCode: number,
    headers: Headers,
    statusMessage?: string,
  ): void {
    const { tokens } = this.#call
    const token = this.#token
    const challenges = [headers['www-authenticate'] ?? []].flat().join(', ')
    if (token !== undefined && this.#mayRetry && refusesToken(statusCode, challenges)) {
      this.#mayRetry = false
      if (this.#isReplayable) {
        this.#hold(new HeldResponse(controller, statusCode, headers, statusMessage), token)
        return
      }
      tokens.drop(token)
    }
    this.#handler.onResponseStart?.(this.#controller, statusCode, headers, statusMessage)
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#phase === 'sending') this.#handler.onResponseData?.(this.#controller, chunk)
    else if (this.#phase === 'holding') this.#held?.addData(chunk)
    else if (this.#phase === 'draining') this.#drained(controller, chunk.byteLength)
  }

  onResponseEnd(_: Controller, trailers: Headers): void {
    if (this.#phase === 'holding') this.#held?.end(trailers)
    else if (this.#phase === 'draining') this.#dispatchAgain()
    else if (this.#phase === 'sending') {
      this.#phase = 'over'
      this.#handler.onResponseEnd?.(this.#controller, trailers)
    }
  }

  onResponseError(_: Controller, error: Error): void {
    if (this.#phase === 'holding') this.#held?.fail(error)
    else if (this.#phase === 'draining') this.#dispatchAgain()
    else this.#fail(error)
  }

  get #signal(): AbortSignal | undefined {
    const { signal } = this.#call.opts
    return signal instanceof AbortSignal ? signal : undefined
  }

  get #isReplayable(): boolean {
    const { opts, maxReplayBytes } = this.#call
    const { body = null, upgrade, method } = opts
    if (upgrade || method === 'CONNECT') return false
    if (body === null) return true
    if (typeof body === 'string') return Buffer.byteLength(body) <= maxReplayBytes
    return body instanceof Uint8Array && body.byteLength <= maxReplayBytes
  }

  #begin(context: unknown): void {
    if (this.#begun) return
    this.#begun = true
    this.#handler.onRequestStart?.(this.#controller, context)
  }

  #dispatch(token: IssuedToken): boolean {
    const { dispatch, opts, headers } = this.#call
    this.#phase = 'sending'
    this.#token = token
    this.#controller.target = undefined
    // An inner redirect interceptor would send mapped headers along.
    const withToken = { ...opts, headers: withHeaders(headers, token.headers), maxRedirections: 0 }
    return dispatch(withToken as Dispatcher.DispatchOptions, this)
  }

  #dispatchLate(token: IssuedToken): void {
    try {
      this.#dispatch(token)
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #hold(held: HeldResponse, refused: IssuedToken): void {
    this.#phase = 'holding'
    this.#held = held
    held.controller.pause()
    this.#call.tokens.replace(refused, this.#signal).then(
      token => this.#phase === 'holding' && this.#decide(held, token),
      (reason: Error) => this.#controller.abort(reason),
    )
  }

  #decide(held: HeldResponse, token: IssuedToken | undefined): void {
    if (token === undefined) {
      this.#phase = 'sending'
      held.passOn(this, this.#handler, this.#controller)
      return
    }
    this.#token = token
    this.#phase = 'draining'
    if (held.isOver) {
      this.#dispatchAgain()
      return
    }
    this.#drainTimer = setTimeout(
      () => held.controller.abort(new Error('rest of the response discarded: timeout')),
      maxDrainMs,
    )
    held.controller.resume()
  }

  #drained(controller: Controller, bytes: number): void {
    const held = this.#held
    if (held === undefined) return
    held.drainedBytes += bytes
    if (held.drainedBytes > maxDrainedBytes)
      controller.abort(new Error('rest of the response discarded: too large'))
  }

  #dispatchAgain(): void {
    clearTimeout(this.#drainTimer)
    this.#held = undefined
    if (this.#token !== undefined) this.#dispatchLate(this.#token)
  }

  /** Handles an abort by the caller's handler. The connection reports it while it serves the caller, else this class does. */
  #abort(reason: Error): void {
    const { target } = this.#controller
    if (this.#phase !== 'sending' || target === undefined) this.#fail(reason)
    target?.abort(reason)
  }

  #fail(error: Error): void {
    clearTimeout(this.#drainTimer)
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#handler.onResponseError?.(this.#controller, error)
  }
}
