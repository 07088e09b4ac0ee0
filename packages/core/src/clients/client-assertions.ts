// The whole module: a missing name in an old Node would fail before `assertNodeVersion` runs.
import * as crypto from 'node:crypto'
import { optionRules } from '../options/broker-options.ts'
import { Backoff } from '../shared/backoff.ts'
import { CallLimit } from '../shared/call-limit.ts'
import type { Clock } from '../shared/clock.ts'
import { BrokerError } from '../shared/errors.ts'
import { AssertionKey } from './assertion-key.ts'
import type { AssertionClaims, AssertionSettings, SignAssertion } from './client-authentication.ts'
import { SecretFunction, secretPauses } from './secret-function.ts'

/** Short, because an assertion is sent at once; servers tolerate small differences of clocks. */
const lifeSeconds = 60
/** Limit of concurrent calls of a function: a vault has its own limits, and the slots of the token endpoint do not count for it. */
const maxCalls = 32
const jws = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** The request for which an assertion is made. */
export interface AssertedRequest {
  readonly clientId: string
  readonly tokenEndpoint: string
  /** The issuer of the token endpoint, if it is known. */
  readonly issuer: string | undefined
}

/** Makes the assertions of one client (RFC 7523 section 3): a new one for each request, because a server accepts a `jti` once. */
export class ClientAssertions {
  readonly settings: AssertionSettings
  readonly #option: string
  readonly #clock: Clock
  readonly #backoff: Backoff
  readonly #calls = new CallLimit(maxCalls)
  /** The key that signed last: parsing takes as long as a signature. */
  #lastKey: { readonly text: string; readonly key: AssertionKey } | undefined

  /** `option`: the path of the client's options. */
  constructor(settings: AssertionSettings, option: string, clock: Clock) {
    this.settings = settings
    this.#option = option
    this.#clock = clock
    this.#backoff = new Backoff(secretPauses, clock)
  }

  /** Whether a function of the operator signs. */
  get hasFunction(): boolean {
    return this.settings.sign !== undefined
  }

  /** Signs an assertion with the text of a key. */
  async signedWith(keyText: string, request: AssertedRequest): Promise<string> {
    const key = this.#keyOf(keyText)
    const header = { alg: key.algorithm, typ: 'JWT', kid: key.keyId }
    const signingInput = `${encoded(header)}.${encoded(this.#claims(request))}`
    return `${signingInput}.${await key.sign(signingInput)}`
  }

  /**
   * Has the function sign an assertion. Rejects with `token_endpoint_unavailable` when it fails, takes longer than `timeoutMs` or returns
   * something else, and for a second after that.
   */
  async signedByFunction(request: AssertedRequest, signal: AbortSignal, timeoutMs: number): Promise<string> {
    const { sign } = this.settings
    if (sign === undefined) throw new TypeError('the client has no function that signs')
    this.#assertDue()
    return this.#calls.run(() => this.#call(sign, request, signal, timeoutMs), signal)
  }

  async #call(
    sign: SignAssertion,
    request: AssertedRequest,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<string> {
    // The call before this one can have failed.
    this.#assertDue()
    const claims = this.#claims(request)
    const { clientId, tokenEndpoint } = request
    const assertion = { clientId, audience: claims.aud, tokenEndpoint, claims }
    const call = new SecretFunction(
      ({ signal: ofCall }) => sign({ ...assertion, signal: ofCall }),
      this.#clock,
      assertionProblem,
    )
    const abort = () => call.close(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      const outcome = await call.call(false, timeoutMs)
      if ('secret' in outcome) return outcome.secret
      this.#backoff.failed()
      throw this.#unavailable(outcome.problem)
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  #assertDue(): void {
    if (this.#backoff.remainingMs > 0) throw this.#unavailable('it failed less than a second ago')
  }

  #claims({ clientId, tokenEndpoint, issuer }: AssertedRequest): AssertionClaims {
    const aud = this.settings.audience ?? issuer ?? tokenEndpoint
    const iat = Math.floor(this.#clock.wall() / 1000)
    return { iss: clientId, sub: clientId, aud, iat, exp: iat + lifeSeconds, jti: crypto.randomUUID() }
  }

  #keyOf(text: string): AssertionKey {
    if (this.#lastKey?.text === text) return this.#lastKey.key
    const key = new AssertionKey(text, this.settings)
    this.#lastKey = { text, key }
    return key
  }

  #unavailable(detail: string): BrokerError {
    return new BrokerError('token_endpoint_unavailable', 'the client assertion is unavailable', {
      retryAfterMs: this.#backoff.remainingMs,
      transient: true,
      hint: { problem: 'secret_unavailable', option: `${this.#option}.authentication.sign`, detail },
    })
  }
}

function assertionProblem(assertion: unknown): string | undefined {
  if (typeof assertion !== 'string') return 'is not a string'
  if (assertion.length > optionRules['client.authentication.sign'].maxLength) return 'is too long'
  return jws.test(assertion) ? undefined : 'is not a JWT'
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
