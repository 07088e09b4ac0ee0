import { type Broker, checkedTokenRequest, type TokenRequest } from '@broker/core'
import { assertKnownNames } from '@broker/core/options'
import type { Request, RequestHandler, Response } from 'express'
import { headersAttachedTo, noteAttachedHeaders } from './attached-headers.ts'
import { noteAttachedToken } from './attached-token.ts'
import { clientGone } from './client-gone.ts'
import { dropRefusedToken } from './drop-refused-token.ts'
import { proceedAfter } from './proceed-after.ts'
import { replaceHeaders } from './replace-headers.ts'

export interface AttachTokenOptions {
  /** Which token; a function, which may be async, decides by request. Default: that of the broker's own client. */
  readonly token?: TokenRequest | ((request: Request) => TokenRequest | PromiseLike<TokenRequest>) | undefined
}

/**
 * Puts the broker's token on an incoming request, for a proxy that comes next and forwards the request's headers.
 *
 * Whatever the client sent under the name of a token's header is gone, also where this token has nothing to put there;
 * so are `Authorization`, the broker's credential headers and the header of the caller's JWT. Without a token nothing
 * goes on: the `BrokerError` goes to `next`. A client that leaves is not answered, and nobody else's wait ends.
 *
 * When the answer to the client is a 401, other than for `insufficient_scope` or by `brokerErrorHandler`, the token that
 * was attached is dropped, and the next request gets another one; at most one in 10 seconds. The 401 itself is passed on.
 *
 * Everything that comes after it gets the token, so mount it where one backend is forwarded to. Throws a `TypeError`
 * that starts with `token` for one that can never be had.
 */
export function attachToken(broker: Broker, options: AttachTokenOptions = {}): RequestHandler {
  assertKnownNames(options, ['token'])
  const { token = {} } = options
  const tokenRequestOf = typeof token === 'function' ? token : constantRequest(broker, token)
  return (request, response, next) => {
    proceedAfter(attach(broker, request, response, tokenRequestOf), response, next)
  }
}

async function attach(
  broker: Broker,
  request: Request,
  response: Response,
  tokenRequestOf: (request: Request) => unknown,
): Promise<void> {
  const tokenRequest = tokenRequestFrom(await tokenRequestOf(request))
  const token = await broker.tokenFor({ ...tokenRequest, signal: clientGone(response) })
  const { headers } = token
  const removed = new Set(['authorization', ...broker.credentialHeaders])
  for (const name of headersAttachedTo(request)) removed.delete(name)
  for (const name of broker.tokenHeaders) removed.add(name)
  replaceHeaders(request, removed, headers)
  noteAttachedHeaders(request, Object.keys(headers))
  noteAttachedToken(request, token)
  dropRefusedToken(broker, token, response)
}

function constantRequest(broker: Broker, token: TokenRequest): () => TokenRequest {
  const request = checkedTokenRequest(broker, token)
  return () => request
}

/** Nothing, or a misspelt name, would count as a wish for the token of the configured client. */
function tokenRequestFrom(given: unknown): TokenRequest {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError('token must return a token request')
  }
  assertKnownNames(given, ['clientId', 'clientSecret', 'scope', 'audiences'], 'token.')
  // One by one: a getter of a class is not copied with the rest.
  const { clientId, clientSecret, scope, audiences } = given as TokenRequest
  return { clientId, clientSecret, scope, audiences }
}
