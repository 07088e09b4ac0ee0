import { BrokerError } from '../errors.ts'
import type { JwtVerifier } from '../gate/jwt-verifier.ts'
import type { Logger } from '../logger.ts'
import type { IssuedToken } from '../tokens/issued-token.ts'
import type { ConfiguredClient, RequestedTokens, TokenRequest } from '../tokens/requested-tokens.ts'
import type { TokenSource } from '../tokens/token-source.ts'
import type { Wait } from '../wait-for.ts'
import { bearerJwt, missingJwt } from './bearer-jwt.ts'
import {
  type CredentialHeaderNames,
  type CredentialHeaders,
  readCredentialHeaders,
  singleValue,
} from './credential-headers.ts'
import type { TokenHeader } from './token-headers.ts'
import { type AllowVerdict, refusalOf, type Verdict } from './verdict.ts'
import { waitingTimeMs } from './waiting-time.ts'

/** A request that asks to be let through. */
export interface CheckRequest {
  /** Header lines as `rawHeaders` of Node gives them: name, value, name, value. */
  readonly headers: readonly string[]
  /** Aborts this caller's wait: `check` then rejects with the signal's reason. Read only when there is a wait. */
  readonly signal?: AbortSignal | undefined
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
  readonly logger: Logger
}

const vschar = /^[\x20-\x7e]*$/

/** Decides on a request: gate, then credentials, then token, then headers. The only room that knows them all. */
export class Check {
  readonly #options: CheckOptions
  /** What is removed from every request that is let through, unless the same name is set. */
  readonly #removed: readonly string[]

  constructor(options: CheckOptions) {
    this.#options = options
    const { names, verifier, stripCredentialHeaders, tokenHeaders } = options
    const credentials = stripCredentialHeaders ? [names.clientId, names.clientSecret, names.scope] : []
    if (stripCredentialHeaders && verifier !== undefined) credentials.push(names.jwt)
    // A mapped header whose field is absent this time: else the client's own value would pass for Dex's.
    this.#removed = [...new Set([...credentials, ...tokenHeaders.map(({ header }) => header)])]
  }

  /** Rejects only with the reason of the caller's own abort. */
  async run(request: CheckRequest): Promise<Verdict> {
    try {
      return await this.#decide(request)
    } catch (error) {
      if (!BrokerError.is(error)) {
        if (request.signal?.aborted) throw error
        this.#options.logger.error({ err: error }, 'check failed by a fault of the broker')
      } else if (error.code === 'invalid_token') {
        const reason = error.cause instanceof Error ? error.cause.message : error.message
        this.#options.logger.debug({ reason }, 'JWT refused')
      }
      return refusalOf(error)
    }
  }

  async #decide(request: CheckRequest): Promise<AllowVerdict> {
    const { names, verifier, maxWaitMs, requestedTokens, tokens } = this.#options
    const headers = readCredentialHeaders(request.headers, names)
    let wait: Wait | undefined
    const waiting = () => {
      const expected = typeof headers.expectedTimeoutMs === 'string' ? headers.expectedTimeoutMs : ''
      wait ??= { signal: request.signal, timeoutMs: waitingTimeMs(expected, maxWaitMs) }
      return wait
    }
    if (verifier !== undefined) await verifier.verify(this.#callersJwt(headers), waiting())
    const requested = requestedTokens.resolve(this.#tokenRequest(headers))
    return this.#allow(tokens.peek(requested) ?? (await tokens.get(requested, waiting())))
  }

  #callersJwt(headers: CredentialHeaders): string {
    const value = singleValue(headers.jwt, this.#options.names.jwt)
    if (value === '') throw missingJwt()
    return bearerJwt(value)
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

  #allow(token: IssuedToken): AllowVerdict {
    const set = token.headers
    return { outcome: 'allow', set, remove: this.#removed.filter(name => !Object.hasOwn(set, name)) }
  }
}

function credential(value: CredentialHeaders['clientId'], name: string): string {
  const single = singleValue(value, name)
  if (!vschar.test(single)) throw new BrokerError('invalid_request', `${name} has invalid characters`)
  return single
}
