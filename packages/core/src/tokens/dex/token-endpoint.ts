import type { ClientAuthenticationMethod } from '../../clients/client-authentication.ts'
import type { ClientCredentials } from '../../clients/client-credentials.ts'
import { callUpstream } from '../../shared/http/call-upstream.ts'
import { httpDate } from '../../shared/http/http-date.ts'
import { readBoundedBody } from '../../shared/http/read-bounded-body.ts'
import { retryAfterMs } from '../../shared/http/retry-after.ts'
import { unknownCoding } from '../../shared/http/unknown-coding.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import { traceHeaders } from '../../shared/traceparent.ts'
import type { SpanAttributes, SpanContext } from '../../shared/tracer.ts'
import { tokenRequest } from './token-request.ts'
import { judgeTokenResponse, type TokenEndpointAnswer, type TokenResponse } from './token-response.ts'

/** A token response of Dex has a few kilobytes. */
const maxBodyBytes = 64 * 1024

export interface TokenEndpointOptions {
  readonly authMethod: ClientAuthenticationMethod
  /** Fields of the token response to keep, by their JSON names. */
  readonly wantedFields: readonly string[]
  /** The option that holds the URL of the token endpoint. */
  readonly option: string
}

export interface TokenEndpointRequest {
  readonly url: string
  readonly credentials: ClientCredentials
  /** Number of the attempt, from 1. */
  readonly attempt: number
  readonly signal: AbortSignal
  /** The parent of its span. */
  readonly parent: SpanContext | undefined
}

/** Dex's token endpoint. Sends one request and judges the answer. */
export class TokenEndpoint {
  readonly #surroundings: Surroundings
  readonly #options: TokenEndpointOptions

  constructor(surroundings: Surroundings, options: TokenEndpointOptions) {
    this.#surroundings = surroundings
    this.#options = options
  }

  request({ url, credentials, attempt, signal, parent }: TokenEndpointRequest): Promise<TokenResponse> {
    const { wantedFields, option } = this.#options
    return callUpstream({
      url,
      attempt,
      timeoutMs: this.#surroundings.requestTimeoutMs,
      signal,
      upstream: 'the token endpoint',
      option,
      unavailable: 'token_endpoint_unavailable',
      tracer: this.#surroundings.tracer,
      span: { name: 'token request', method: 'POST', parent, attributes: spanAttributes(credentials) },
      send: context => this.#answer(url, credentials, signal, context),
      judge: answer => judgeTokenResponse(answer, { credentials, wantedFields, option }),
    })
  }

  async #answer(
    url: string,
    credentials: ClientCredentials,
    signal: AbortSignal,
    context: SpanContext | undefined,
  ): Promise<TokenEndpointAnswer> {
    const { transport, clock, userAgent } = this.#surroundings
    const { authMethod = this.#options.authMethod } = credentials
    const trace = traceHeaders(context)
    const request = tokenRequest(credentials, { authMethod, userAgent, signal, trace, maxBodyBytes })
    const response = await transport(url, request)
    return {
      status: response.status,
      retryAfterMs: retryAfterMs(response.headers.get('retry-after'), clock.wall()),
      answeredAt: answeredAt(response.headers.get('date'), response.headers.get('age')),
      unknownCoding: unknownCoding(response.headers.get('content-encoding')),
      body: await readBoundedBody(response, maxBodyBytes),
    }
  }
}

/** Names the client as the configuration does, never by its id: that can be the caller's own. */
function spanAttributes({ configured, client = 'default', exchange }: ClientCredentials): SpanAttributes {
  return {
    'dex_broker.client': configured ? client : 'caller',
    'dex_broker.grant': exchange === undefined ? 'client_credentials' : 'token_exchange',
  }
}

/**
 * The time of the answer on the clock of the server: the latest moment that `Date` can mean, because it omits fractions
 * of a second. A cache repeats the `Date` of the first answer and adds `Age` (RFC 9111 section 5.1).
 */
function answeredAt(date: string | null, age: string | null): number | undefined {
  const time = httpDate(date)
  if (Number.isNaN(time)) return undefined
  return time + 999 + (age !== null && /^\d{1,10}$/.test(age) ? Number(age) * 1000 : 0)
}
