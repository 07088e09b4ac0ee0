import type { ClientCredentials } from '../../clients/client-credentials.ts'
import type { ClientAuthMethod } from '../../options/broker-options.ts'
import type { Clock } from '../../shared/clock.ts'
import { BrokerError } from '../../shared/errors.ts'
import { networkFailureCode, networkFailureHint } from '../../shared/http/network-failure.ts'
import { readBoundedBody } from '../../shared/http/read-bounded-body.ts'
import { retryAfterMs } from '../../shared/http/retry-after.ts'
import type { Transport } from '../../shared/http/transport.ts'
import { tokenRequest } from './token-request.ts'
import { judgeTokenResponse, type TokenEndpointAnswer, type TokenResponse } from './token-response.ts'

/** A token response is a few kilobytes; what is longer is not Dex. */
const maxTokenResponseBytes = 64 * 1024

export interface TokenEndpointOptions {
  readonly authMethod: ClientAuthMethod
  readonly transport: Transport
  readonly clock: Clock
  /** The fields of the response to keep beside the token, by their JSON names. */
  readonly wantedFields: readonly string[]
}

/** Dex's token endpoint: sends one request and judges the one answer. */
export class TokenEndpoint {
  readonly #options: TokenEndpointOptions

  constructor(options: TokenEndpointOptions) {
    this.#options = options
  }

  async request(url: string, credentials: ClientCredentials, signal: AbortSignal): Promise<TokenResponse> {
    return judgeTokenResponse(await this.#answer(url, credentials, signal), this.#options.wantedFields)
  }

  async #answer(
    url: string,
    credentials: ClientCredentials,
    signal: AbortSignal,
  ): Promise<TokenEndpointAnswer> {
    const { authMethod, transport, clock } = this.#options
    try {
      const response = await transport(url, tokenRequest(credentials, authMethod, signal))
      return {
        status: response.status,
        retryAfterMs: retryAfterMs(response.headers.get('retry-after'), clock.wall()),
        body: await readBoundedBody(response, maxTokenResponseBytes),
      }
    } catch (error) {
      if (BrokerError.is(signal.reason)) throw signal.reason
      const timedOut = signal.aborted
      throw new BrokerError(
        'token_endpoint_unavailable',
        timedOut ? 'the token endpoint did not answer in time' : 'the token endpoint could not be reached',
        {
          transient: true,
          cause: error,
          hint: networkFailureHint(networkFailureCode(error), 'tokenEndpoint'),
        },
      )
    }
  }
}
