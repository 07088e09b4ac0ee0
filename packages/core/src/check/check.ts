import type { ConfiguredClient, RequestedTokens, TokenRequest } from '../clients/requested-tokens.ts'
import { bearerJwt } from '../gate/bearer-jwt.ts'
import type { JwtClaims } from '../gate/jwt/jwt.ts'
import type { JwtVerifier } from '../gate/jwt/jwt-verifier.ts'
import type { Clock } from '../shared/clock.ts'
import { BrokerError } from '../shared/errors.ts'
import type { Logger } from '../shared/logger.ts'
import type { Wait } from '../shared/wait-for.ts'
import type { IssuedToken } from '../tokens/issued-token.ts'
import type { TokenHeader } from '../tokens/token-headers.ts'
import type { TokenSource } from '../tokens/tokens.ts'
import {
  type CredentialHeaderNames,
  type CredentialHeaders,
  readCredentialHeaders,
  singleValue,
} from './credential-headers.ts'
import { type AllowVerdict, type RefusalVerdict, refusalOf, type Verdict } from './verdict.ts'
import { waitingTimeMs } from './waiting-time.ts'

/** A request that asks to be let through. */
export interface CheckRequest {
  /** Header lines as `rawHeaders` of Node gives them: name, value, name, value. */
  readonly headers: readonly string[]
  /** Aborts this caller's wait: `check` then rejects with the signal's reason. Read only when there is a wait. */
  readonly signal?: AbortSignal | undefined
}

/** Who a JWT says is calling. */
export interface AuthenticatedCaller {
  readonly claims: JwtClaims
  /** The JWT itself. */
  readonly token: string
}

export interface CheckOptions {
  readonly names: CredentialHeaderNames
  /** Wins over the caller's headers, part by part: those of a configured part are not read. */
  readonly client: ConfiguredClient
  readonly verifier: JwtVerifier | undefined
  readonly requestedTokens: RequestedTokens
  readonly tokens: TokenSource
  readonly tokenHeaders: readonly TokenHeader[]
  readonly stripCredentialHeaders: boolean
  readonly maxWaitMs: number
  readonly clock: Clock
  readonly logger: Logger
}

const vschar = /^[\x20-\x7e]*$/

/** Decides on a request: gate, then credentials, then token, then headers. The only room that knows them all. */
export class Check {
  readonly #options: CheckOptions
  /** What is removed from every request that is let through, unless the same name is set. */
  readonly #removed: readonly string[]
  readonly #allowed = new WeakMap<AllowVerdict['set'], AllowVerdict>()

  constructor(options: CheckOptions) {
    this.#options = options
    const { names, verifier, stripCredentialHeaders, tokenHeaders } = options
    const credentials = stripCredentialHeaders ? [names.clientId, names.clientSecret, names.scope] : []
    if (stripCredentialHeaders && verifier !== undefined) credentials.push(names.jwt)
    // A mapped header whose field is absent this time: else the client's own value would pass for Dex's.
    this.#removed = [...new Set([...credentials, ...tokenHeaders.map(({ header }) => header)])]
  }

  /** The verdict when it needs no waiting: most do not, once tokens and JWTs are known. */
  peek(request: CheckRequest): Verdict | undefined {
    try {
      const { names, verifier, requestedTokens, tokens } = this.#options
      const headers = readCredentialHeaders(request.headers, names)
      if (verifier !== undefined && verifier.peek(this.#jwtOf(headers)) === undefined) return undefined
      const token = tokens.peek(requestedTokens.resolve(this.#tokenRequest(headers)))
      return token && this.#allow(token)
    } catch (error) {
      return this.#refusal(error)
    }
  }

  /** Rejects only with the reason of the caller's own abort. */
  async run(request: CheckRequest): Promise<Verdict> {
    try {
      return await this.#decide(request)
    } catch (error) {
      const { signal } = request
      if (!BrokerError.is(error) && signal?.aborted && error === signal.reason) throw error
      return this.#refusal(error)
    }
  }

  /** The caller that a request's JWT proves. Rejects with `BrokerError`, or the reason of the caller's own abort. */
  async authenticate(request: CheckRequest): Promise<AuthenticatedCaller> {
    const headers = readCredentialHeaders(request.headers, this.#options.names)
    return this.#authenticate(headers, this.#wait(request, headers))
  }

  async #decide(request: CheckRequest): Promise<AllowVerdict> {
    const { names, verifier, requestedTokens, tokens } = this.#options
    const headers = readCredentialHeaders(request.headers, names)
    const wait = this.#wait(request, headers)
    if (verifier !== undefined) await this.#authenticate(headers, wait)
    const requested = requestedTokens.resolve(this.#tokenRequest(headers))
    return this.#allow(tokens.peek(requested) ?? (await tokens.get(requested, wait)))
  }

  async #authenticate(headers: CredentialHeaders, wait: Wait): Promise<AuthenticatedCaller> {
    const { verifier } = this.#options
    if (verifier === undefined) throw new TypeError('authenticate needs the option gate')
    const token = this.#jwtOf(headers)
    return { claims: await verifier.verify(token, wait), token }
  }

  /**
   * One deadline for all that a check waits for. Getters, because most checks wait for nothing, and a signal can cost
   * more than the rest of the check.
   */
  #wait(request: CheckRequest, { expectedTimeoutMs }: CredentialHeaders): Wait {
    const { maxWaitMs, clock } = this.#options
    const startedAt = clock.monotonic()
    return {
      get signal() {
        return request.signal
      },
      get timeoutMs() {
        const expected = typeof expectedTimeoutMs === 'string' ? expectedTimeoutMs : ''
        return Math.max(1, startedAt + waitingTimeMs(expected, maxWaitMs) - clock.monotonic())
      },
    }
  }

  /** An empty header is no header: the part then counts as left out. */
  #tokenRequest(headers: CredentialHeaders): TokenRequest {
    const { names, client } = this.#options
    return {
      clientId: client.clientId
        ? undefined
        : credential(headers.clientId, names.clientId).trim() || undefined,
      clientSecret: client.clientSecret
        ? undefined
        : credential(headers.clientSecret, names.clientSecret) || undefined,
      scope: client.scope ? undefined : credential(headers.scope, names.scope).trim() || undefined,
    }
  }

  #jwtOf(headers: CredentialHeaders): string {
    return bearerJwt(singleValue(headers.jwt, this.#options.names.jwt))
  }

  /** The same token gives the same verdict, but for headers that change with time. */
  #allow(token: IssuedToken): AllowVerdict {
    const set = token.headers
    const known = this.#allowed.get(set)
    if (known !== undefined) return known
    const remove = this.#removed.filter(name => !Object.hasOwn(set, name))
    const verdict: AllowVerdict = { outcome: 'allow', set, remove }
    this.#allowed.set(set, verdict)
    return verdict
  }

  #refusal(error: unknown): RefusalVerdict {
    const { logger } = this.#options
    if (!BrokerError.is(error)) {
      logger.error({ err: error }, 'check failed by a fault of the broker')
    } else if (error.code === 'invalid_token') {
      const reason = error.cause instanceof Error ? error.cause.message : error.message
      logger.debug({ reason }, 'JWT refused')
    }
    return refusalOf(error)
  }
}

function credential(value: CredentialHeaders['clientId'], name: string): string {
  const single = singleValue(value, name)
  if (!vschar.test(single)) throw new BrokerError('invalid_request', `${name} has invalid characters`)
  return single
}
