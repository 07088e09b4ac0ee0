import { brokerClosed } from '../shared/broker-closed.ts'
import type { BrokerError } from '../shared/errors.ts'
import type { MaybePromise } from '../shared/maybe-promise.ts'
import { rejectionHint } from '../shared/rejection-hint.ts'
import { waitFor } from '../shared/wait-for.ts'
import { AcceptedSecrets, type KnownSecrets } from './accepted-secrets.ts'
import { clientSecretProblem } from './client-secret.ts'
import type { SecretCalls } from './secret-calls.ts'
import { logSecretFailure, secretUnavailable } from './secret-failure.ts'
import { type ResultProblem, SecretFunction } from './secret-function.ts'
import type { SecretOwner } from './secret-owner.ts'
import type { SecretSource } from './secret-source.ts'
import type { SecretSurroundings } from './secret-surroundings.ts'

/** Limit of remembered client ids that use the previous secret: callers bring ids when only the secret is configured. */
const maxOnPrevious = 1_024

/**
 * The secret of one configured client, or the private key in its place: the current one, and the previous one for the time in which Dex does not know the current
 * one yet.
 *
 * A function is called when its secret is first needed. A secret that is known stays in use while the function fails.
 */
export class ConfiguredSecret {
  /** Grows with each change of any secret, so that no two secrets share a version. */
  static #lastVersion = 0

  readonly #surroundings: SecretSurroundings
  readonly #calls: SecretCalls
  readonly #owner: SecretOwner
  readonly #problemOf: ResultProblem
  readonly #onPrevious = new Set<string>()
  #source: string | SecretSource | undefined
  #function: SecretFunction | undefined
  /** Whether the function must be called before the secret is used. */
  #isDue = false
  #call: Promise<void> | undefined
  #problem: string | undefined
  #current: string | undefined
  #previous: string | undefined
  readonly #accepted = new AcceptedSecrets()
  #isRefused = false
  #version = ++ConfiguredSecret.#lastVersion

  constructor(
    surroundings: SecretSurroundings,
    calls: SecretCalls,
    owner: SecretOwner,
    source: string | SecretSource,
    problemOf: ResultProblem = clientSecretProblem,
  ) {
    this.#surroundings = surroundings
    this.#calls = calls
    this.#owner = owner
    this.#problemOf = problemOf
    this.set(source)
  }

  /** Changes whenever the secret or its function does, and at `renew`; unique among all secrets of this process. */
  get version(): number {
    return this.#version
  }

  /** `undefined` until the function has returned one. */
  get current(): string | undefined {
    return this.#current
  }

  /** The last secret that Dex accepted before the current one, else the one before; `undefined` without one. */
  get previous(): string | undefined {
    return this.#previous
  }

  /** To be asked before a request to Dex, because other requests end before it does. */
  get known(): KnownSecrets {
    return this.#accepted.known
  }

  /** Whether Dex's last answer about the current secret was a refusal. */
  get isRefused(): boolean {
    return this.#isRefused
  }

  /** Replaces the secret or its function. The same string or the same function changes nothing. */
  set(source: string | SecretSource): void {
    if (source === this.#source) return
    this.#source = source
    this.#problem = undefined
    this.#abandonCall()
    if (typeof source === 'string') {
      this.#function = undefined
      this.#isDue = false
      this.#replace(source)
    } else {
      this.#function = this.#functionOf(source)
      this.#isDue = true
      this.#isRefused = false
      // Refusals that are remembered say nothing about its secret.
      this.#version = ++ConfiguredSecret.#lastVersion
    }
  }

  /** Has the function called before the next use of the secret, also during its pause. A string stays. */
  renew(): void {
    const { source } = this.#function ?? {}
    if (source === undefined) return
    // A call under way may return the old secret.
    this.#abandonCall()
    this.#function = this.#functionOf(source)
    this.#isDue = true
    this.#problem = undefined
    this.#version = ++ConfiguredSecret.#lastVersion
  }

  /**
   * Calls the function if that is due; `undefined` when the secret can be used at once. Rejects with `token_endpoint_unavailable`
   * when the function fails and no secret is known. `timeoutMs` bounds the call; with a known secret the wait is half as long.
   */
  prepare(timeoutMs: number): Promise<void> | undefined {
    const { pauseMs } = this.#function ?? {}
    if (!this.#isDue || pauseMs === undefined) return undefined
    if (pauseMs > 0) return this.#current === undefined ? Promise.reject(this.#unavailable()) : undefined
    if (this.#current === undefined) return this.#callUntilKnown(timeoutMs)
    const call = this.#callOnce(timeoutMs)
    // A function that has just failed can take long again: the known secret is good enough.
    if (this.#problem !== undefined) return undefined
    return waitFor(call, { timeoutMs: timeoutMs / 2 }, () => this.#unavailable()).catch(() => {})
  }

  /**
   * Notes that Dex refused a secret and returns another one to try: the current one when it has changed since, else the one that the
   * function returns now. `undefined` when there is none. `timeoutMs` bounds the call; never rejects. A promise only while the
   * function is called.
   */
  replacementOf(refused: string, timeoutMs: number): MaybePromise<string | undefined> {
    this.refused(refused)
    const isCallDue = refused === this.#current && this.#function?.pauseMs === 0
    return isCallDue
      ? this.#callOnce(timeoutMs).then(() => this.#otherThan(refused))
      : this.#otherThan(refused)
  }

  #otherThan(refused: string): string | undefined {
    return this.#current === refused ? undefined : this.#current
  }

  /** Notes that Dex refused a secret. */
  refused(secret: string): void {
    if (secret === this.#current) this.#isRefused = true
  }

  /** Notes that Dex accepted a secret, in a request that began when `before` was known; `clientId` is for the log. */
  accepted(secret: string, clientId: string, before: KnownSecrets): void {
    if (secret !== this.#current) {
      // Replaced while the request was under way.
      if (this.#accepted.olderAccepted(secret, before)) this.#previous = secret
      return
    }
    this.#accepted.currentAccepted(secret)
    this.#isRefused = false
    if (!this.#onPrevious.delete(clientId)) return
    this.#surroundings.logger.info({ client: this.#owner.client, clientId }, 'client secret accepted')
  }

  /** Notes that Dex accepted the previous secret after it refused the current one. */
  previousAccepted(secret: string, clientId: string, before: KnownSecrets): void {
    if (!this.#accepted.olderAccepted(secret, before)) return
    const { logger, describeHint } = this.#surroundings
    const { client, option, isKey = false } = this.#owner
    if (this.#onPrevious.size >= maxOnPrevious) this.#onPrevious.clear()
    this.#onPrevious.add(clientId)
    const hint = describeHint(rejectionHint(option, !isKey))
    logger.warn({ client, clientId, hint }, 'client secret rejected by Dex; the previous one is in use')
  }

  /**
   * Notes that Dex refused the previous secret after the current one, in a request that began when `before` was known. Returns the
   * current one when Dex accepted the previous one at that time: the secret in Dex may have changed between the two requests.
   */
  previousRefused(secret: string, before: KnownSecrets): string | undefined {
    return this.#accepted.previousRefused(secret, before) ? this.#current : undefined
  }

  #functionOf(source: SecretSource): SecretFunction {
    return new SecretFunction(source, this.#surroundings.clock, this.#problemOf)
  }

  #abandonCall(): void {
    this.#function?.close(new DOMException('another secret is needed', 'AbortError'))
    this.#call = undefined
  }

  #replace(secret: string): void {
    const current = this.#current
    if (secret === current) return
    if (current !== undefined) {
      const accepted = this.#accepted.last
      this.#previous = accepted === undefined || accepted === secret ? current : accepted
    }
    this.#current = secret
    this.#isRefused = false
    this.#accepted.currentReplaced()
    this.#version = ++ConfiguredSecret.#lastVersion
  }

  /** Calls the function again when it is replaced during the call, but only within the time of one call. */
  async #callUntilKnown(timeoutMs: number): Promise<void> {
    let call = this.#callOnce(timeoutMs)
    // Made after the call, whose own timeout is then first and says more.
    const signal = AbortSignal.timeout(timeoutMs)
    for (;;) {
      await waitFor(call, { signal }, () => this.#unavailable()).catch(() => {})
      if (this.#calls.isClosed) throw brokerClosed('token_endpoint_unavailable')
      if (this.#current !== undefined) return
      if (signal.aborted || this.#function?.pauseMs !== 0) throw this.#unavailable()
      call = this.#callOnce(timeoutMs)
    }
  }

  /** Joins the call under way or starts one; never rejects. */
  #callOnce(timeoutMs: number): Promise<void> {
    const of = this.#function
    if (of === undefined || this.#calls.isClosed) return Promise.resolve()
    if (this.#call === undefined) {
      const call = this.#callFunction(of, timeoutMs).finally(() => {
        if (this.#call === call) this.#call = undefined
      })
      this.#call = call
    }
    return this.#call
  }

  async #callFunction(of: SecretFunction, timeoutMs: number): Promise<void> {
    const outcome = await this.#calls.note(of, of.call(this.#isRefused, timeoutMs)).catch(() => undefined)
    // Ended from here, or replaced during the call.
    if (outcome === undefined || of !== this.#function) return
    if ('problem' in outcome) {
      of.pause()
      this.#failed(outcome.problem)
      return
    }
    this.#isDue = false
    this.#problem = undefined
    if (outcome.secret === this.#current && this.#isRefused) of.pause()
    this.#replace(outcome.secret)
  }

  #failed(problem: string): void {
    // The function words its errors itself.
    const secrets = [this.#current, this.#previous]
    this.#problem = secrets.some(secret => secret !== undefined && problem.includes(secret))
      ? 'it failed'
      : problem
    const isKnown = this.#current !== undefined
    logSecretFailure(this.#surroundings, this.#owner, { detail: this.#problem, isKnown })
  }

  #unavailable(): BrokerError {
    const retryAfterMs = this.#function?.pauseMs
    return secretUnavailable(this.#owner, { detail: this.#problem, retryAfterMs })
  }
}
