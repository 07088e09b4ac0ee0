import type { AuthenticatedCaller, Broker } from '@broker/core'
import type { Request, RequestHandler } from 'express'
import { headersAttachedTo } from './attached-headers.ts'
import { clientGone } from './client-gone.ts'
import { proceedAfter } from './proceed-after.ts'

/** Beside `request.auth`, where other middlewares, too, put what they found, or take it for granted. */
const callers = new WeakMap<Request, AuthenticatedCaller>()

/**
 * Lets a request on only with a JWT that the broker's gate accepts, and puts `{ claims, token }` into `request.auth`.
 *
 * Refusals go to `next`; `brokerErrorHandler` answers them. A client that leaves is not answered. A `TypeError` goes to
 * `next` when the broker has no `gate`, and when `attachToken` came first: the header then holds the broker's own token.
 */
export function requireJwt(broker: Broker): RequestHandler {
  return (request, response, next) => {
    proceedAfter(authenticate(broker, request, clientGone(response)), response, next)
  }
}

/** What `requireJwt` found out about a request's caller; throws a `TypeError` where it has not run. */
export function authOf(request: Request): AuthenticatedCaller {
  const auth = callers.get(request)
  if (auth === undefined) throw new TypeError('requireJwt has not run for this request')
  return auth
}

async function authenticate(broker: Broker, request: Request, signal: AbortSignal): Promise<void> {
  if (headersAttachedTo(request).size > 0) throw new TypeError('requireJwt must come before attachToken')
  const auth = await broker.authenticate({ headers: request.rawHeaders, signal })
  callers.set(request, auth)
  Object.assign(request, { auth })
}
