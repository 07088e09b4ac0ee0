import { brokerClosed } from '../../shared/broker-closed.ts'
import { elapsedMs, type Moment, momentOf } from '../../shared/clock.ts'
import { BrokerError } from '../../shared/errors.ts'
import { failureFields } from '../../shared/failure-fields.ts'
import { andThen, type MaybePromise } from '../../shared/maybe-promise.ts'
import { SharedFetch } from '../../shared/shared-fetch.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import { Topic } from '../../shared/topic.ts'
import type { SpanContext } from '../../shared/tracer.ts'
import { upstreamRequest } from '../../shared/upstream-request.ts'
import type { Wait } from '../../shared/wait-for.ts'
import { tooManyCallers, type WaitingCallers } from '../../shared/waiting-callers.ts'
import type { KeySetStatus } from '../../status/issuer-status.ts'
import type { JwtHeader } from '../jwt/jwt.ts'
import { fetchKeySet } from './jwks-endpoint.ts'
import type { KeySet } from './key-set.ts'
import { keySetStatus } from './key-set-status.ts'
import { asKeysUnavailable, noUsableKey, waitedTooLong } from './keys-unavailable.ts'
import { kidOf, UnknownKids } from './unknown-kids.ts'
import { UnusableKeys } from './unusable-keys.ts'

/** Fraction of the maximum age after which the next use refreshes the key set in the background. */
const refreshAheadRatio = 0.8
/**
 * Limit of callers that wait for a key that may not exist, while the key set is loaded: JWTs with made-up keys must not take
 * the places of all other callers.
 */
const maxWaitersForUnknownKey = 256

export interface KeySourceOptions {
  /** Returns the URL of the key set, or a promise while discovery is under way. */
  readonly jwksUri: (parent?: SpanContext) => MaybePromise<string>
  /** The option that holds the URL of the key set, for hints. */
  readonly option: string
  /** The name of its issuer in the log; `undefined` when there is no other. */
  readonly issuer?: string | undefined
  /** Age from which a key set is used only if its refresh fails, in milliseconds. */
  readonly maxAgeMs: number
  /** Age from which a key set is not used at all, in milliseconds. */
  readonly maxStaleMs: number
  /** A key that fits none of these is unusable. */
  readonly algorithms: readonly string[]
  /** Callers that wait, for keys or for tokens. */
  readonly callers: WaitingCallers
}

interface Loaded {
  readonly keySet: KeySet
  readonly at: Moment
  /** The number of the request that loaded it. */
  readonly request: number
}

/**
 * Loads a key set when it is first needed, refreshes it before its maximum age, and keeps it for a limited time while the
 * endpoint is unavailable. Refreshes it, within limits, when a JWT names an unknown key.
 *
 * A refresh belongs to no caller, and at most one is under way.
 */
export class KeySource {
  /** Publishes the ids of keys that a refresh removed. */
  readonly keysGone: Topic<ReadonlySet<string>> = new Topic()
  readonly #surroundings: Surroundings
  #options: KeySourceOptions
  readonly #fetch: SharedFetch<KeySet>
  readonly #unknownKids: UnknownKids
  readonly #unusableKeys: UnusableKeys
  #loaded: Loaded | undefined
  #requests = 0
  #waitersForUnknownKey = 0
  /** Start of the load under way or of the last one. */
  #startedAt = 0

  constructor(surroundings: Surroundings, options: KeySourceOptions) {
    this.#surroundings = surroundings
    this.#options = options
    this.#unknownKids = new UnknownKids(surroundings.clock)
    this.#unusableKeys = new UnusableKeys(surroundings)
    this.#fetch = new SharedFetch(surroundings, {
      load: (signal, attempt, parent) => this.#load(signal, attempt, parent),
      asFailure: asKeysUnavailable,
      onFailure: failure => this.#noteFailure(failure),
      pauses: { firstMs: 1_000, maxMs: 15_000 },
    })
  }

  /** The option that holds the URL of the key set, for hints. */
  get option(): string {
    return this.#options.option
  }

  /**
   * Replaces the options, and ends the pause after a failure. The key set stays: they must lead to the same one. A load under way ends
   * as it began.
   */
  set options(options: KeySourceOptions) {
    this.#options = options
    this.#fetch.endPause()
  }

  /** Starts to load missing or old keys, and tells whether there are usable keys. */
  prepare(): boolean {
    const keySet = this.current()
    // A set without a usable key is refreshed as often as for an unknown key.
    const isMissing = keySet?.size === 0 && this.#unknownKids.allowRefresh('any key')
    if (keySet === undefined || isMissing) this.refresh()
    return (this.#usable()?.size ?? 0) > 0
  }

  /**
   * Returns the key set if it is loaded and below its maximum age. Late in that time a call starts a refresh in the
   * background.
   */
  current(): KeySet | undefined {
    const { maxAgeMs } = this.#options
    const age = this.ageMs
    if (this.#loaded === undefined || age >= maxAgeMs) return undefined
    if (age >= maxAgeMs * refreshAheadRatio) this.refresh()
    return this.#loaded.keySet
  }

  /** Returns the key set for a JWT. It has the key that the JWT names, if that key exists. */
  keySetFor(header: JwtHeader, wait: Wait): MaybePromise<KeySet> {
    const found = this.#find(header, wait)
    return found instanceof Promise ? found.catch(error => this.#lookupFailed(error)) : found
  }

  #find(header: JwtHeader, wait: Wait): MaybePromise<KeySet> {
    const requestsBefore = this.#requests
    return andThen(this.current() ?? this.#refreshed(wait), keySet => {
      if (keySet.mayVerify(header) || this.#isMissing(header, requestsBefore)) return keySet
      return this.#refreshedFor(header, { requestsBefore, keySet, wait })
    })
  }

  /** Refreshes the key set in the background if it lacks a key. */
  lookFor(kid: string): void {
    // With a `kid` the algorithm does not matter.
    const found = this.#find({ alg: '', kid }, {})
    if (found instanceof Promise) found.catch(() => {})
  }

  /** Refreshes the key set in the background, except during the pause after a failure. */
  refresh(): void {
    this.#fetch.get().catch(() => {})
  }

  /** The age of the key set in milliseconds; infinite before the first one. */
  get ageMs(): number {
    return this.#loaded === undefined
      ? Number.POSITIVE_INFINITY
      : elapsedMs(this.#loaded.at, this.#surroundings.clock)
  }

  /**
   * Refreshes the key set. Resolves with the pause before the next attempt if this one failed or is not due, in milliseconds;
   * else with 0. Never rejects.
   */
  renew(): Promise<number> {
    return this.#fetch.get().then(
      () => 0,
      () => this.#fetch.pauseMs,
    )
  }

  status(): Omit<KeySetStatus, 'url'> {
    return keySetStatus(this.#loaded, this.#fetch.status(), { ...this.#options, refreshAheadRatio })
  }

  close(): void {
    this.#fetch.close(brokerClosed('jwks_unavailable'))
  }

  #lookupFailed(error: unknown): never {
    if (BrokerError.is(error)) this.#fetch.lookupFailed(error)
    throw error
  }

  async #refreshed(wait: Wait): Promise<KeySet> {
    try {
      return await this.#fetched(wait, false)
    } catch (error) {
      const old = this.#usable()
      if (old === undefined || !BrokerError.is(error)) throw error
      return old
    }
  }

  #fetched(wait: Wait, isUnknown: boolean): Promise<KeySet> {
    const keys = this.#fetch.get(wait.span?.context)
    return this.#options.callers.wait(keys, wait, { isUnknown, timedOut: waitedTooLong })
  }

  async #refreshedFor(
    header: JwtHeader,
    { requestsBefore, keySet, wait }: { requestsBefore: number; keySet: KeySet; wait: Wait },
  ): Promise<KeySet> {
    const { isUnderWay, isPaused } = this.#fetch
    if (!isUnderWay && (isPaused || !this.#unknownKids.allowRefresh(kidOf(header)))) return keySet
    // Not a refusal: the key may exist, and this caller could not wait for it.
    if (this.#waitersForUnknownKey >= maxWaitersForUnknownKey) throw tooManyCallers()
    this.#waitersForUnknownKey++
    try {
      const refreshed = await this.#fetched(wait, true)
      if (!refreshed.mayVerify(header)) this.#isMissing(header, requestsBefore)
      return refreshed
    } catch (error) {
      if (!BrokerError.is(error) || error.code === 'overloaded') throw error
      // Keys are loaded and this JWT's key is not among them: the JWT is refused.
      return keySet
    } finally {
      this.#waitersForUnknownKey--
    }
  }

  /**
   * Tells whether a key is known to be missing, and remembers it. That is so when the key set was requested after the JWT
   * arrived: the answer to an earlier request can be older than the key.
   */
  #isMissing(header: JwtHeader, requestsBefore: number): boolean {
    if (this.#loaded === undefined || this.#loaded.request <= requestsBefore) return false
    this.#unknownKids.rememberMissing(kidOf(header))
    return true
  }

  #usable(): KeySet | undefined {
    return this.ageMs < this.#options.maxStaleMs ? this.#loaded?.keySet : undefined
  }

  async #load(signal: AbortSignal, attempt: number, parent: SpanContext | undefined): Promise<KeySet> {
    const { clock, logger, requestTimeoutMs } = this.#surroundings
    const at = momentOf(clock)
    this.#startedAt = at.monotonic
    const request = ++this.#requests
    const { jwksUri, option, issuer, algorithms } = this.#options
    const url = await jwksUri(parent)
    const surroundings = this.#surroundings
    const keySet = await fetchKeySet(url, { surroundings, signal, attempt, option, algorithms, parent })
    this.#unusableKeys.note(keySet, { option, issuer })
    const before = this.#loaded?.keySet
    if (before !== undefined && before.size > 0 && keySet.size === 0) {
      throw noUsableKey(option, upstreamRequest(url, attempt, requestTimeoutMs))
    }
    this.#loaded = { keySet, at, request }
    // A set without usable keys does not show which keys are gone.
    const gone = keySet.size > 0 ? before?.kidsMissingIn(keySet) : undefined
    if (gone !== undefined && gone.size > 0) this.keysGone.publish(gone)
    this.#observe('refreshed')
    const outage = this.#fetch.recovered()
    logger.info(
      { issuer, keys: keySet.size, ...outage },
      outage === undefined ? 'key set refreshed' : 'key set refreshed after failures',
    )
    return keySet
  }

  #noteFailure(failure: BrokerError): void {
    this.#observe('failed')
    const keys = this.#usable() === undefined ? 'none' : 'cached'
    this.#surroundings.logger.error(
      { issuer: this.#options.issuer, ...failureFields(failure, this.#surroundings), keys },
      `key set refresh failed: ${failure.message}`,
    )
  }

  #observe(outcome: 'refreshed' | 'failed'): void {
    const { observe, clock } = this.#surroundings
    observe({ type: 'jwks_refresh', outcome, durationMs: clock.monotonic() - this.#startedAt })
  }
}
