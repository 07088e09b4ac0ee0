import type { AuthenticatedCaller, TokenBroker } from '@broker/core'
import type { Request, RequestHandler } from 'express'

/**
 * Lets a request on only with a JWT that the broker's gate accepts, and puts `{ claims, token }` into `request.auth`.
 *
 * Refusals go to `next`; `brokerErrorHandler` answers them. A client that leaves is not answered. Throws a
 * `TypeError` at the first request when the broker has no `gate`.
 */
export function requireJwt(broker: TokenBroker): RequestHandler {
  return (request, response, next) => {
    const clientGone = new AbortController()
    const onClose = () => clientGone.abort()
    response.once('close', onClose)
    broker
      .authenticate({ headers: request.rawHeaders, signal: clientGone.signal })
      .then(
        auth => {
          Object.assign(request, { auth })
          next()
        },
        error => {
          if (!clientGone.signal.aborted) next(error)
        },
      )
      .finally(() => response.off('close', onClose))
  }
}

/** What `requireJwt` found out about a request's caller; throws a `TypeError` where it has not run. */
export function authOf(request: Request): AuthenticatedCaller {
  const { auth } = request as { auth?: AuthenticatedCaller }
  if (auth === undefined) throw new TypeError('requireJwt has not run for this request')
  return auth
}
