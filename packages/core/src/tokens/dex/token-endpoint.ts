import type { ClientCredentials } from '../../clients/client-credentials.ts'
import type { ClientAuthMethod } from '../../options/broker-options.ts'
import { BrokerError } from '../../shared/errors.ts'
import { networkFailureCode, networkFailureHint } from '../../shared/http/network-failure.ts'
import { readBoundedBody } from '../../shared/http/read-bounded-body.ts'
import { retryAfterMs } from '../../shared/http/retry-after.ts'
import { unknownCoding } from '../../shared/http/unknown-coding.ts'
import type { Surroundings } from '../../shared/surroundings.ts'
import { tokenRequest } from './token-request.ts'
import { judgeTokenResponse, type TokenEndpointAnswer, type TokenResponse } from './token-response.ts'

/** A token response is a few kilobytes; what is longer is not Dex. */
const maxTokenResponseBytes = 64 * 1024

export interface TokenEndpointOptions {
  readonly authMethod: ClientAuthMethod
  /** The fields of the response to keep beside the token, by their JSON names. */
  readonly wantedFields: readonly string[]
  /** The option that says where the token endpoint is. */
  readonly option: string
}

/** Dex's token endpoint: sends one request and judges the one answer. */
export class TokenEndpoint {
  readonly #surroundings: Surroundings
  readonly #options: TokenEndpointOptions

  constructor(surroundings: Surroundings, options: TokenEndpointOptions) {
    this.#surroundings = surroundings
    this.#options = options
  }

  async request(url: string, credentials: ClientCredentials, signal: AbortSignal): Promise<TokenResponse> {
    const { wantedFields, option } = this.#options
    const answer = await this.#answer(url, credentials, signal)
    return judgeTokenResponse(answer, { credentials, wantedFields, option })
  }

  async #answer(
    url: string,
    credentials: ClientCredentials,
    signal: AbortSignal,
  ): Promise<TokenEndpointAnswer> {
    const { transport, clock, userAgent } = this.#surroundings
    const { authMethod } = this.#options
    try {
      const response = await transport(url, tokenRequest(credentials, { authMethod, userAgent, signal }))
      return {
        status: response.status,
        retryAfterMs: retryAfterMs(response.headers.get('retry-after'), clock.wall()),
        answeredAt: answeredAt(response.headers.get('date'), response.headers.get('age')),
        unknownCoding: unknownCoding(response.headers.get('content-encoding')),
        body: await readBoundedBody(response, maxTokenResponseBytes),
      }
    } catch (error) {
      if (BrokerError.is(signal.reason)) throw signal.reason
      throw this.#unreachable(error, signal.aborted)
    }
  }

  #unreachable(cause: unknown, timedOut: boolean): BrokerError {
    const { option } = this.#options
    const detail = `${this.#surroundings.requestTimeoutMs} ms`
    return new BrokerError(
      'token_endpoint_unavailable',
      timedOut ? 'the token endpoint did not answer in time' : 'the token endpoint could not be reached',
      {
        transient: true,
        cause,
        hint: timedOut
          ? { problem: 'not_answered_in_time', option, detail }
          : networkFailureHint(networkFailureCode(cause), option),
      },
    )
  }
}

/**
 * The time of the answer by the clock of who made it: the latest that `Date` can mean, which leaves out the part of the
 * second. A cache in between repeats the `Date` of the first answer, and adds its `Age` (RFC 9111 section 5.1).
 */
function answeredAt(date: string | null, age: string | null): number | undefined {
  const time = Date.parse(date ?? '')
  if (Number.isNaN(time)) return undefined
  return time + 999 + (age !== null && /^\d{1,10}$/.test(age) ? Number(age) * 1000 : 0)
}
