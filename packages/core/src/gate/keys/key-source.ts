import type { BrokerObserver } from '../../shared/broker-event.ts'
import { type Clock, elapsedMs, type Moment, momentOf } from '../../shared/clock.ts'
import { BrokerError } from '../../shared/errors.ts'
import { networkFailureCode } from '../../shared/http/network-failure.ts'
import type { Transport } from '../../shared/http/transport.ts'
import type { Logger } from '../../shared/logger.ts'
import { RequestWithDeadline } from '../../shared/request-with-deadline.ts'
import { type Wait, waitFor } from '../../shared/wait-for.ts'
import type { JwtHeader } from '../jwt/jwt.ts'
import { fetchKeySet } from './jwks-endpoint.ts'
import type { KeySet } from './key-set.ts'
import { UnknownKids } from './unknown-kids.ts'

/** From this part of the maximum age on, a key set that is used is refreshed in the background. */
const refreshAheadRatio = 0.8
const firstRetryMs = 1_000
const maxRetryMs = 15_000

export interface KeySourceOptions {
  /** Asked for each time; may have to wait for discovery. */
  readonly jwksUri: () => string | Promise<string>
  readonly transport: Transport
  readonly clock: Clock
  readonly logger: Logger
  readonly observe: BrokerObserver
  readonly requestTimeoutMs: number
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
  readonly #options: KeySourceOptions
  readonly #unknownKids: UnknownKids
  /** Told of the keys that were in the last key set and are not in the new one. */
  onKeysGone: ((kids: ReadonlySet<string>) => void) | undefined
  #loaded: Loaded | undefined
  #refresh: RequestWithDeadline<KeySet> | undefined
  #requests = 0
  #failures = 0
  #nextTryAt = Number.NEGATIVE_INFINITY
  #lastFailure: BrokerError | undefined
  #closed = false

  constructor(options: KeySourceOptions) {
    this.#options = options
    this.#unknownKids = new UnknownKids(options.clock)
  }

  /** Whether keys are at hand that may be used; asking counts as use, and loads them when they are missing or old. */
  get isReady(): boolean {
    if (this.current === undefined) this.refresh()
    return this.#usable() !== undefined
  }

  /** The key set while it needs no waiting: loaded, and not older than its maximum age. */
  get current(): KeySet | undefined {
    const { maxAgeMs } = this.#options
    const age = this.#age()
    if (this.#loaded === undefined || age >= maxAgeMs) return undefined
    // Nobody waits for this one, and its failure is logged where it happens.
    if (age >= maxAgeMs * refreshAheadRatio) this.refresh()
    return this.#loaded.keySet
  }

  /** The key set to verify a JWT with: with the key that it names, if that key exists. */
  async keySetFor(header: JwtHeader, wait: Wait): Promise<KeySet> {
    const requestsBefore = this.#requests
    const keySet = await this.#fresh(wait)
    if (keySet.mayVerify(header) || this.#isMissing(header, requestsBefore)) return keySet
    return this.#refreshedFor(header, { requestsBefore, keySet, wait })
  }

  /** Makes sure, in the background, that the key set is one that has this key, if it exists. */
  lookFor(kid: string): void {
    // The algorithm says nothing about a key that is named.
    this.keySetFor({ alg: '', kid }, {}).catch(() => {})
  }

  /** Asks for the key set again, in the background, unless that failed a moment ago. */
  refresh(): void {
    this.#refreshNow().catch(() => {})
  }

  close(): void {
    this.#closed = true
    this.#refresh?.abort(closedError())
  }

  async #fresh(wait: Wait): Promise<KeySet> {
    const { current } = this
    if (current !== undefined) return current
    try {
      return await waitFor(this.#refreshNow(), wait, waitedTooLong)
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
    const allowed =
      this.#refresh !== undefined || (!this.#isBackingOff() && this.#unknownKids.allowRefresh(kidOf(header)))
    if (!allowed) return keySet
    try {
      const refreshed = await waitFor(this.#refreshNow(), wait, waitedTooLong)
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
      : elapsedMs(this.#loaded.at, this.#options.clock)
  }

  #usable(): KeySet | undefined {
    return this.#age() < this.#options.maxStaleMs ? this.#loaded?.keySet : undefined
  }

  #isBackingOff(): boolean {
    return this.#options.clock.monotonic() < this.#nextTryAt
  }

  #refreshNow(): Promise<KeySet> {
    if (this.#closed) return Promise.reject(closedError())
    if (this.#refresh !== undefined) return this.#refresh.settled
    if (this.#isBackingOff()) return Promise.reject(this.#failureAgain())
    const refresh = new RequestWithDeadline(this.#options.requestTimeoutMs, signal =>
      this.#load(signal).finally(() => {
        this.#refresh = undefined
      }),
    )
    this.#refresh = refresh
    return refresh.settled
  }

  #failureAgain(): BrokerError {
    const retryAfterMs = this.#nextTryAt - this.#options.clock.monotonic()
    return new BrokerError('jwks_unavailable', this.#lastFailure?.message ?? 'no key set', { retryAfterMs })
  }

  async #load(signal: AbortSignal): Promise<KeySet> {
    const { jwksUri, transport, clock, logger, observe } = this.#options
    const at = momentOf(clock)
    const request = ++this.#requests
    try {
      const keySet = await fetchKeySet(await jwksUri(), transport, signal)
      const gone = this.#loaded?.keySet.kidsMissingIn(keySet)
      this.#loaded = { keySet, at, request }
      if (gone !== undefined && gone.size > 0) this.onKeysGone?.(gone)
      this.#failures = 0
      observe({ type: 'jwks_refresh', outcome: 'refreshed', durationMs: clock.monotonic() - at.monotonic })
      logger.info({ keys: keySet.size }, 'key set loaded')
      return keySet
    } catch (error) {
      const failure = asUnavailable(error)
      this.#backOff(failure)
      observe({ type: 'jwks_refresh', outcome: 'failed', durationMs: clock.monotonic() - at.monotonic })
      const { message, hint, cause } = failure
      const keys = this.#usable() === undefined ? 'none' : 'the last good ones'
      logger.error({ hint, cause: networkFailureCode(cause), keys }, `key set not loaded: ${message}`)
      throw failure
    }
  }

  #backOff(failure: BrokerError): void {
    const retryMs = Math.min(firstRetryMs * 2 ** this.#failures++, maxRetryMs)
    this.#nextTryAt = this.#options.clock.monotonic() + retryMs
    this.#lastFailure = failure
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
  const { code, message, hint, cause, retryAfterMs } = error
  return code === 'jwks_unavailable'
    ? error
    : new BrokerError('jwks_unavailable', message, { hint, cause, retryAfterMs })
}

function waitedTooLong(): BrokerError {
  return new BrokerError('jwks_unavailable', 'the JWKS endpoint did not answer in time', {
    retryAfterMs: 1000,
  })
}

function closedError(): BrokerError {
  return new BrokerError('jwks_unavailable', 'the broker is closed')
}
