import type { AuthenticatedCaller, Broker, JwtClaims } from '@broker/core'
import type { Request, RequestHandler } from 'express'
import { headersAttachedTo } from './attached-headers.ts'
import { clientGone } from './client-gone.ts'
import { proceedAfter } from './proceed-after.ts'

/** In addition to `request.auth`, which other middlewares also write and trust. */
const callers = new WeakMap<Request, AuthenticatedCaller>()

/**
 * Creates a middleware that admits a request only with a JWT that the gate accepts. It sets `request.auth` to the caller:
 * `{ issuer, subject, groups, clientId, claims, token }`.
 *
 * Refusals go to `next`, for `brokerErrorHandler`. A `TypeError` goes to `next` when the broker has no `gate`, and after
 * `attachToken`, because the header then contains the broker's token.
 */
export function requireJwt(broker: Broker): RequestHandler {
  return (request, response, next) => {
    proceedAfter(authenticate(broker, request, clientGone(response)), response, next)
  }
}

/**
 * Returns the caller that `requireJwt` found; throws a `TypeError` when it has not run for the request. `Claims` is an assertion about
 * the claims and validates nothing: `authOf` of a `requireClaims` with a type guard does.
 */
export function authOf<Claims extends JwtClaims = JwtClaims>(request: Request): AuthenticatedCaller<Claims> {
  const auth = callers.get(request)
  if (auth === undefined) throw new TypeError('requireJwt has not run for this request')
  return auth as AuthenticatedCaller<Claims>
}

async function authenticate(broker: Broker, request: Request, signal: AbortSignal): Promise<void> {
  if (headersAttachedTo(request).size > 0) throw new TypeError('requireJwt must come before attachToken')
  const auth = await broker.authenticate({ headers: request.rawHeaders, signal })
  callers.set(request, auth)
  Object.assign(request, { auth })
}
