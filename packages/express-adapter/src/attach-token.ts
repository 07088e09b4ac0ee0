import { checkedTokenRequest, type IssuedToken, type TokenProvider, type TokenRequest } from '@broker/core'
import { assertKnownNames, ResolvedProvider } from '@broker/core/options'
import type { Request, RequestHandler, Response } from 'express'
import { headersAttachedTo, noteAttachedHeaders } from './attached-headers.ts'
import { noteAttachedToken } from './attached-token.ts'
import { clientGone } from './client-gone.ts'
import { dropRefusedToken } from './drop-refused-token.ts'
import { type ExchangeOption, exchangeOfCaller } from './exchange-option.ts'
import { proceedAfter } from './proceed-after.ts'
import { replaceHeaders } from './replace-headers.ts'
import { type TokenOption, tokenRequestFor } from './token-option.ts'

/** The options of {@link attachToken}. */
export interface AttachTokenOptions {
  /** The token request, or a function of the request, which may be async. Default: the broker's configured client. */
  readonly token?: TokenOption | undefined
  /**
   * The token exchange that gives the token of the caller that `requireJwt` found; excludes `token`. Omit it for the client's own
   * token: `undefined` is a `TypeError`.
   */
  readonly exchange?: ExchangeOption
}

/**
 * Creates a middleware that adds the broker's token to an incoming request, for a proxy that forwards the request's headers. With
 * `exchange` it is a token about the caller, and `requireJwt` must come first.
 *
 * It removes the token headers that the client sent, also those that this token does not set. It also removes
 * `Authorization`, the broker's credential headers and the header of the caller's JWT. Without a token the `BrokerError` goes to
 * `next`. A client that closes the connection ends no other client's wait.
 *
 * When the client's answer is a 401, the attached token is dropped, at most one in 10 seconds, and the 401 is passed on. This
 * excludes `insufficient_scope` and answers of `brokerErrorHandler`.
 *
 * All later handlers see the token, so mount it for one backend only. Throws a `TypeError` that starts with `token` for an
 * invalid token request.
 */
export function attachToken(provider: TokenProvider, options: AttachTokenOptions = {}): RequestHandler {
  assertKnownNames(options, ['token', 'exchange'])
  const broker = new ResolvedProvider(provider)
  const tokenFor = tokenSource(broker, provider, options)
  return (request, response, next) => {
    proceedAfter(attach(broker, request, response, tokenFor), response, next)
  }
}

type TokenSource = (request: Request, signal: AbortSignal) => Promise<IssuedToken>

function tokenSource(
  broker: ResolvedProvider,
  provider: TokenProvider,
  options: AttachTokenOptions,
): TokenSource {
  const exchangeOf = exchangeOfCaller(options)
  if (exchangeOf !== undefined) {
    broker.assertCanExchange()
    return async (request, signal) => broker.exchange({ ...exchangeOf(request), signal })
  }
  const { token = {} } = options
  const requestOf = typeof token === 'function' ? token : constantRequest(provider, token)
  return async (request, signal) =>
    broker.tokenFor({ ...(await tokenRequestFor(request, requestOf)), signal })
}

async function attach(
  broker: ResolvedProvider,
  request: Request,
  response: Response,
  tokenFor: TokenSource,
): Promise<void> {
  const token = await tokenFor(request, clientGone(response))
  const { headers } = token
  const removed = new Set(['authorization', ...broker.credentialHeaders])
  for (const name of headersAttachedTo(request)) removed.delete(name)
  for (const name of broker.tokenHeaders) removed.add(name)
  replaceHeaders(request, removed, headers)
  noteAttachedHeaders(request, Object.keys(headers))
  noteAttachedToken(request, token)
  dropRefusedToken(broker, token, response)
}

function constantRequest(provider: TokenProvider, token: TokenRequest): () => TokenRequest {
  const request = checkedTokenRequest(provider, token)
  return () => request
}
