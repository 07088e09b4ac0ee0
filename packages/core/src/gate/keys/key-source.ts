import { brokerClosed } from '../../shared/broker-closed.ts'
import { elapsedMs, type Moment, momentOf } from '../../shared/clock.ts'
import { BrokerError } from '../../shared/errors.ts'
import { networkFailureCode } from '../../shared/http/network-failure.ts'
import { andThen, type MaybePromise } from '../../shared/maybe-promise.ts'
import { SharedFetch } from '../../shared/shared-fetch.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import { Topic } from '../../shared/topic.ts'
import { type Wait, waitFor } from '../../shared/wait-for.ts'
import type { JwtHeader } from '../jwt/jwt.ts'
import { fetchKeySet } from './jwks-endpoint.ts'
import type { KeySet } from './key-set.ts'
import { UnknownKids } from './unknown-kids.ts'
import { UnusableKeys } from './unusable-keys.ts'

/** From this part of the maximum age on, a key set that is used is refreshed in the background. */
const refreshAheadRatio = 0.8

export interface KeySourceOptions {
  /** Asked for each time; may have to wait for discovery. */
  readonly jwksUri: () => MaybePromise<string>
  /** The option that says where the key set is, for hints. */
  readonly option: string
  /** From this age on a key set is used only when it cannot be refreshed, in milliseconds. */
  readonly maxAgeMs: number
  /** From this age on it is not used at all. */
  readonly maxStaleMs: number
}

interface Loaded {
  readonly keySet: KeySet
  readonly at: Moment
  /** The number of the request that brought it. */
  readonly request: number
}

/**
 * Owns the life of a key set: loaded when first needed, refreshed before it is old, kept for a bounded time while
 * the endpoint is down, and asked for again, within limits, when a JWT names a key that is not in it.
 *
 * A refresh belongs to no caller, and there is never more than one under way.
 */
export class KeySource {
  /** The ids of keys that were in the last key set and are not in the new one. */
  readonly keysGone: Topic<ReadonlySet<string>> = new Topic()
  readonly #surroundings: Surroundings
  readonly #options: KeySourceOptions
  readonly #fetch: SharedFetch<KeySet>
  readonly #unknownKids: UnknownKids
  readonly #unusableKeys: UnusableKeys
  #loaded: Loaded | undefined
  #requests = 0
  /** When the load began that is under way, or the last one. */
  #startedAt = 0

  constructor(surroundings: Surroundings, options: KeySourceOptions) {
    this.#surroundings = surroundings
    this.#options = options
    this.#unknownKids = new UnknownKids(surroundings.clock)
    this.#unusableKeys = new UnusableKeys(surroundings, options.option)
    this.#fetch = new SharedFetch(surroundings, {
      load: signal => this.#load(signal),
      asFailure: asUnavailable,
      onFailure: failure => this.#noteFailure(failure),
      pauses: { firstMs: 1_000, maxMs: 15_000 },
    })
  }

  /** The option that holds the URL of the key set, for hints. */
  get option(): string {
    return this.#options.option
  }

  /** Starts to load keys that are missing or old, and says whether there are some that can be used. */
  prepare(): boolean {
    const keySet = this.current()
    // One without any key that can be used is asked for again, as often as for a key that is unknown.
    const isMissing = keySet?.size === 0 && this.#unknownKids.allowRefresh('any key')
    if (keySet === undefined || isMissing) this.refresh()
    return (this.#usable()?.size ?? 0) > 0
  }

  /**
   * The key set while it needs no waiting: loaded, and not older than its maximum age. Asking counts as use: late in
   * the life of the key set it starts a refresh in the background.
   */
  current(): KeySet | undefined {
    const { maxAgeMs } = this.#options
    const age = this.#age()
    if (this.#loaded === undefined || age >= maxAgeMs) return undefined
    if (age >= maxAgeMs * refreshAheadRatio) this.refresh()
    return this.#loaded.keySet
  }

  /** The key set to verify a JWT with: with the key that it names, if that key exists. */
  keySetFor(header: JwtHeader, wait: Wait): MaybePromise<KeySet> {
    const requestsBefore = this.#requests
    return andThen(this.current() ?? this.#refreshed(wait), keySet => {
      if (keySet.mayVerify(header) || this.#isMissing(header, requestsBefore)) return keySet
      return this.#refreshedFor(header, { requestsBefore, keySet, wait })
    })
  }

  /** Makes sure, in the background, that the key set is one that has this key, if it exists. */
  lookFor(kid: string): void {
    // The algorithm says nothing about a key that is named.
    const found = this.keySetFor({ alg: '', kid }, {})
    if (found instanceof Promise) found.catch(() => {})
  }

  /** Asks for the key set again, in the background, unless that failed a moment ago. A failure is logged where it happens. */
  refresh(): void {
    this.#fetch.get().catch(() => {})
  }

  close(): void {
    this.#fetch.close(brokerClosed('jwks_unavailable'))
  }

  async #refreshed(wait: Wait): Promise<KeySet> {
    try {
      return await waitFor(this.#fetch.get(), wait, waitedTooLong)
    } catch (error) {
      const old = this.#usable()
      if (old === undefined || !BrokerError.is(error)) throw error
      return old
    }
  }

  async #refreshedFor(
    header: JwtHeader,
    { requestsBefore, keySet, wait }: { requestsBefore: number; keySet: KeySet; wait: Wait },
  ): Promise<KeySet> {
    const { isUnderWay, isPaused } = this.#fetch
    if (!isUnderWay && (isPaused || !this.#unknownKids.allowRefresh(kidOf(header)))) return keySet
    try {
      const refreshed = await waitFor(this.#fetch.get(), wait, waitedTooLong)
      if (!refreshed.mayVerify(header)) this.#isMissing(header, requestsBefore)
      return refreshed
    } catch (error) {
      if (!BrokerError.is(error)) throw error
      // Keys are at hand and this JWT's key is not among them: its fault, as far as anybody can tell.
      return keySet
    }
  }

  /**
   * Whether a key set that lacks a key was asked for after the JWT that names it was seen: then the key does not exist,
   * and that is remembered. An answer to an earlier request may be older than the key.
   */
  #isMissing(header: JwtHeader, requestsBefore: number): boolean {
    if (this.#loaded === undefined || this.#loaded.request <= requestsBefore) return false
    this.#unknownKids.rememberMissing(kidOf(header))
    return true
  }

  #age(): number {
    return this.#loaded === undefined
      ? Number.POSITIVE_INFINITY
      : elapsedMs(this.#loaded.at, this.#surroundings.clock)
  }

  #usable(): KeySet | undefined {
    return this.#age() < this.#options.maxStaleMs ? this.#loaded?.keySet : undefined
  }

  async #load(signal: AbortSignal): Promise<KeySet> {
    const { clock, logger } = this.#surroundings
    const at = momentOf(clock)
    this.#startedAt = at.monotonic
    const request = ++this.#requests
    const { jwksUri, option } = this.#options
    const keySet = await fetchKeySet(await jwksUri(), {
      surroundings: this.#surroundings,
      signal,
      option,
    })
    this.#unusableKeys.note(keySet)
    const before = this.#loaded?.keySet
    if (before !== undefined && before.size > 0 && keySet.size === 0) throw noUsableKey(option)
    this.#loaded = { keySet, at, request }
    // What cannot be used says nothing about what is gone.
    const gone = keySet.size > 0 ? before?.kidsMissingIn(keySet) : undefined
    if (gone !== undefined && gone.size > 0) this.keysGone.publish(gone)
    this.#observe('refreshed')
    logger.info({ keys: keySet.size }, 'key set loaded')
    return keySet
  }

  #noteFailure({ message, hint, cause }: BrokerError): void {
    const { logger, describeHint } = this.#surroundings
    this.#observe('failed')
    const keys = this.#usable() === undefined ? 'none' : 'the last good ones'
    const fields = { hint: hint && describeHint(hint), cause: networkFailureCode(cause), keys }
    logger.error(fields, `key set not loaded: ${message}`)
  }

  #observe(outcome: 'refreshed' | 'failed'): void {
    const { observe, clock } = this.#surroundings
    observe({ type: 'jwks_refresh', outcome, durationMs: clock.monotonic() - this.#startedAt })
  }
}

/** What an unknown key is remembered by; a JWT that names none could be verified by any key of its algorithm. */
function kidOf({ alg, kid }: JwtHeader): string {
  return kid ?? `any ${alg}`
}

/** Discovery, too, is a way not to have keys. */
function asUnavailable(error: unknown): BrokerError {
  if (!BrokerError.is(error)) {
    return new BrokerError('jwks_unavailable', 'the key set could not be loaded', { cause: error })
  }
  const { code, message, hint, cause, retryAfterMs, transient } = error
  return code === 'jwks_unavailable'
    ? error
    : new BrokerError('jwks_unavailable', message, { hint, cause, retryAfterMs, transient })
}

/** Never in the place of a good key set (RFC 7517 section 5: such keys are ignored). */
function noUsableKey(option: string): BrokerError {
  return new BrokerError('jwks_unavailable', 'the JWKS endpoint sent no key that can be used', {
    hint: { problem: 'no_usable_key', option },
  })
}

function waitedTooLong(): BrokerError {
  return new BrokerError('jwks_unavailable', 'the JWKS endpoint did not answer in time', {
    retryAfterMs: 1000,
    transient: true,
  })
}
