import { type AuthenticatedCaller, BrokerError, type JwtClaims } from '@broker/core'
import type { Request, RequestHandler } from 'express'
import { proceedAfter } from './proceed-after.ts'
import { authOf } from './require-jwt.ts'

/** A condition on the caller of an accepted JWT, whose claims come first; only `true` admits the request. */
export type ClaimsPredicate = (
  claims: JwtClaims,
  caller: AuthenticatedCaller,
) => boolean | PromiseLike<boolean>

/** A condition on the claims of an accepted JWT that also proves their type. It must look at each claim of the type. */
export type ClaimsGuard<Claims extends JwtClaims> = (
  claims: JwtClaims,
  caller: AuthenticatedCaller,
) => claims is Claims

/** The middleware of {@link requireClaims}. */
export interface ClaimsMiddleware<Claims extends JwtClaims = JwtClaims> extends RequestHandler {
  /** Returns the caller of a request that this middleware admitted; throws a `TypeError` for any other request. */
  authOf(request: Request): AuthenticatedCaller<Claims>
}

/**
 * Creates a middleware that admits a request only if the caller that `requireJwt` found meets a condition.
 *
 * Any result other than `true` goes to `next` as `forbidden`, which `brokerErrorHandler` answers with 403 and the challenge
 * `insufficient_scope`. An error of the condition goes to `next`, and so does a `TypeError` when `requireJwt` has not run.
 *
 * With a type guard, `authOf` of the middleware returns the claims with the type that the guard proved.
 */
export function requireClaims<Claims extends JwtClaims>(guard: ClaimsGuard<Claims>): ClaimsMiddleware<Claims>
/** Creates a middleware that admits a request only if the caller that `requireJwt` found meets a condition, which may be async. */
export function requireClaims(predicate: ClaimsPredicate): ClaimsMiddleware
export function requireClaims(predicate: ClaimsPredicate): ClaimsMiddleware {
  if (typeof predicate !== 'function') throw new TypeError('predicate must be a function')
  const admitted = new WeakMap<Request, AuthenticatedCaller>()
  const middleware: RequestHandler = (request, response, next) => {
    proceedAfter(assertClaims(request, predicate, admitted), response, next)
  }
  return Object.assign(middleware, {
    authOf(request: Request) {
      const caller = admitted.get(request)
      if (caller === undefined) throw new TypeError('this requireClaims has not admitted the request')
      return caller
    },
  })
}

async function assertClaims(
  request: Request,
  predicate: ClaimsPredicate,
  admitted: WeakMap<Request, AuthenticatedCaller>,
): Promise<void> {
  const caller = authOf(request)
  const accepted: unknown = await predicate(caller.claims, caller)
  if (accepted !== true)
    throw new BrokerError('forbidden', 'the claims of the JWT do not permit this request')
  admitted.set(request, caller)
}
