import type { Client } from '../clients/client.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import type { AuthenticatedCaller } from '../gate/authenticated-caller.ts'
import type { Gate } from '../gate/gate.ts'
import { BrokerError } from '../shared/errors.ts'
import { andThen, type MaybePromise } from '../shared/maybe-promise.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { Wait } from '../shared/wait-for.ts'
import type { IssuedToken } from '../tokens/issued-token.ts'
import type { TokenHeader } from '../tokens/token-headers.ts'
import type { Tokens } from '../tokens/tokens.ts'
import type { CheckRequest } from './check-request.ts'
import { CheckWait } from './check-wait.ts'
import {
  type CredentialHeaderNames,
  type CredentialHeaders,
  readCredentialHeaders,
  singleValue,
} from './credential-headers.ts'
import { assertHeaderLines } from './header-lines.ts'
import { missingCredentials, missingHeaders } from './missing-credentials.ts'
import { type AllowVerdict, type RefusalVerdict, refusalOf, type Verdict } from './verdict.ts'

export interface CheckOptions {
  readonly names: CredentialHeaderNames
  /** `undefined` admits every caller. */
  readonly gate: Gate | undefined
  /** The configured parts of the client override the caller's headers, which are not read for them. */
  readonly client: Client
  readonly tokens: Tokens
  readonly tokenHeaders: readonly TokenHeader[]
  readonly stripCredentialHeaders: boolean
  /** The realm of challenges. */
  readonly realm: string
}

const vschar = /^[\x20-\x7e]*$/

/** Decides about requests in this order: gate, client, token, headers. */
export class Check {
  readonly #surroundings: Surroundings
  readonly #options: CheckOptions
  /** The headers to remove from every request that passes, unless the same name is set. */
  readonly #removed: readonly string[]
  readonly #allowed = new WeakMap<AllowVerdict['set'], AllowVerdict>()

  constructor(surroundings: Surroundings, options: CheckOptions) {
    this.#surroundings = surroundings
    this.#options = options
    const { names, gate, stripCredentialHeaders, tokenHeaders } = options
    const credentials = stripCredentialHeaders ? [names.clientId, names.clientSecret, names.scope] : []
    if (stripCredentialHeaders && gate !== undefined) credentials.push(names.jwt)
    // Mapped headers too: when the field is absent, the caller's own value would pass for Dex's.
    this.#removed = [...new Set([...credentials, ...tokenHeaders.map(({ header }) => header)])]
  }

  /**
   * Returns the verdict, without a promise when no wait is needed. Throws or rejects only with the reason of the caller's own
   * abort, and with `TypeError` for headers that are not header lines.
   */
  decide(request: CheckRequest): MaybePromise<Verdict> {
    assertHeaderLines(request.headers)
    try {
      const verdict = this.#decide(request)
      return verdict instanceof Promise ? this.#decideLater(verdict, request) : verdict
    } catch (error) {
      return this.#refusal(error, request)
    }
  }

  /** Returns the caller of a request. Throws or rejects with `BrokerError` or the reason of the caller's own abort. */
  authenticate(request: CheckRequest): MaybePromise<AuthenticatedCaller> {
    const { gate, names } = this.#options
    if (gate === undefined) throw new TypeError('authenticate needs the option gate')
    assertHeaderLines(request.headers)
    const headers = readCredentialHeaders(request.headers, names)
    return gate.authenticate(singleValue(headers.jwt, names.jwt), this.#wait(request))
  }

  #decide(request: CheckRequest): MaybePromise<AllowVerdict> {
    const { names, gate } = this.#options
    const headers = readCredentialHeaders(request.headers, names)
    const wait = this.#wait(request)
    const caller = gate?.authenticate(singleValue(headers.jwt, names.jwt), wait)
    return caller instanceof Promise
      ? this.#serveLater(request, headers, caller, wait)
      : this.#serve(request, headers, caller, wait)
  }

  // Methods, because closures in the two methods above would cost every check, also one that does not wait.
  async #decideLater(verdict: Promise<Verdict>, request: CheckRequest): Promise<Verdict> {
    try {
      return await verdict
    } catch (error) {
      return this.#refusal(error, request)
    }
  }

  async #serveLater(
    request: CheckRequest,
    headers: CredentialHeaders,
    caller: Promise<AuthenticatedCaller>,
    wait: Wait,
  ): Promise<AllowVerdict> {
    return this.#serve(request, headers, await caller, wait)
  }

  #serve(
    _request: CheckRequest,
    headers: CredentialHeaders,
    _caller: AuthenticatedCaller | undefined,
    wait: Wait,
  ): MaybePromise<AllowVerdict> {
    const { client, tokens } = this.#options
    const order = client.order(this.#tokenRequest(client, headers))
    return andThen(tokens.get(order, wait), this.#allow)
  }

  #wait(request: CheckRequest): Wait {
    const { requestTimeoutMs, clock } = this.#surroundings
    return new CheckWait(request, requestTimeoutMs, clock)
  }

  /** An empty header counts as absent. */
  #tokenRequest({ configured }: Client, headers: CredentialHeaders): TokenRequest {
    const { names } = this.#options
    const request = {
      clientId: configured.clientId
        ? undefined
        : credential(headers.clientId, names.clientId).trim() || undefined,
      clientSecret: configured.clientSecret
        ? undefined
        : credential(headers.clientSecret, names.clientSecret) || undefined,
      scope: configured.scope ? undefined : credential(headers.scope, names.scope).trim() || undefined,
    }
    if (
      (request.clientId ?? configured.clientId) === undefined ||
      (request.clientSecret ?? configured.clientSecret) === undefined
    ) {
      throw missingCredentials(missingHeaders(configured, request, names), this.#surroundings)
    }
    return request
  }

  /** Reuses the verdict of a token, unless its headers change with time. */
  readonly #allow = (token: IssuedToken): AllowVerdict => {
    const set = token.headers
    const known = this.#allowed.get(set)
    if (known !== undefined) return known
    const remove = this.#removed.filter(name => !Object.hasOwn(set, name))
    const verdict: AllowVerdict = { outcome: 'allow', set, remove }
    this.#allowed.set(set, verdict)
    return verdict
  }

  #refusal(error: unknown, request: CheckRequest): RefusalVerdict {
    if (!BrokerError.is(error)) {
      const { signal } = request
      if (signal?.aborted && error === signal.reason) throw error
      this.#surroundings.logger.error({ err: error }, 'check failed internally')
    }
    return refusalOf(error, { realm: this.#options.realm })
  }
}

function credential(value: CredentialHeaders['clientId'], name: string): string {
  const single = singleValue(value, name)
  if (!vschar.test(single)) throw new BrokerError('invalid_request', `${name} has invalid characters`)
  return single
}
