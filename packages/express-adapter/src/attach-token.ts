import {
  assertTokenRequest,
  type Broker,
  checkedTokenRequest,
  type MaybePromise,
  refusesToken,
  type TokenRequest,
} from '@broker/core'
import { assertKnownNames } from '@broker/core/options'
import type { Request, RequestHandler, Response } from 'express'
import { headersAttachedTo, noteAttached } from './attached-tokens.ts'
import { clientGone, onAnswerOver } from './client-gone.ts'
import { proceedAfter } from './proceed-after.ts'
import { replaceHeaders } from './replace-headers.ts'

export interface AttachTokenOptions {
  /** Which token; a function decides by request, at once or later. Default: that of the broker's own client. */
  readonly token?: TokenRequest | ((request: Request) => MaybePromise<TokenRequest>) | undefined
}

/**
 * Puts the broker's token on an incoming request, for a proxy that comes next and forwards the request's headers.
 *
 * Whatever the client sent under the name of a token's header is gone, also where this token has nothing to put there;
 * so are `Authorization`, the broker's credential headers and the header of the caller's JWT. Without a token nothing
 * goes on: the `BrokerError` goes to `next`. A client that leaves is not answered, and nobody else's wait ends.
 * A response with 401 that does not say `insufficient_scope` drops the token: the next request gets another one.
 *
 * Everything that comes after it gets the token, so mount it where one backend is forwarded to. Throws a `TypeError`
 * that starts with `token` for one that can never be had.
 */
export function attachToken(broker: Broker, options: AttachTokenOptions = {}): RequestHandler {
  assertKnownNames(options, ['token'])
  const { token = {} } = options
  const tokenRequestOf = typeof token === 'function' ? token : constantRequest(broker, token)
  return (request, response, next) => {
    proceedAfter(attach(broker, { request, response }, tokenRequestOf), response, next)
  }
}

async function attach(
  broker: Broker,
  { request, response }: { request: Request; response: Response },
  tokenRequestOf: (request: Request) => MaybePromise<TokenRequest>,
): Promise<void> {
  const tokenRequest = await tokenRequestOf(request)
  assertTokenRequest(tokenRequest)
  const token = await broker.tokenFor({ ...tokenRequest, signal: clientGone(response) })
  const { headers } = token
  const removed = new Set(['authorization', ...broker.credentialHeaders])
  for (const name of headersAttachedTo(request)) removed.delete(name)
  for (const name of broker.tokenHeaders) removed.add(name)
  replaceHeaders(request, removed, headers)
  noteAttached(request, token)
  onAnswerOver(response, () => {
    const challenges = response.getHeader('www-authenticate')
    if (refusesToken(response.statusCode, challenges === undefined ? null : String(challenges)))
      broker.invalidate(token)
  })
}

function constantRequest(broker: Broker, token: TokenRequest): () => TokenRequest {
  const request = checkedTokenRequest(broker, token)
  return () => request
}
