import { type AuthenticatedCaller, BrokerError, type JwtClaims } from '@broker/core'
import type { Request, RequestHandler } from 'express'
import { proceedAfter } from './proceed-after.ts'
import { authOf } from './require-jwt.ts'

/** A condition on the caller of an accepted JWT, whose claims come first; only `true` admits the request. */
export type ClaimsPredicate = (
  claims: JwtClaims,
  caller: AuthenticatedCaller,
) => boolean | PromiseLike<boolean>

/**
 * Creates a middleware that admits a request only if the caller that `requireJwt` found meets a condition.
 *
 * Any result other than `true` goes to `next` as `forbidden`, which `brokerErrorHandler` answers with 403 and the challenge
 * `insufficient_scope`. An error of the condition goes to `next`, and so does a `TypeError` when `requireJwt` has not run.
 */
export function requireClaims(predicate: ClaimsPredicate): RequestHandler {
  if (typeof predicate !== 'function') throw new TypeError('predicate must be a function')
  return (request, response, next) => {
    proceedAfter(assertClaims(request, predicate), response, next)
  }
}

async function assertClaims(request: Request, predicate: ClaimsPredicate): Promise<void> {
  const caller = authOf(request)
  const accepted: unknown = await predicate(caller.claims, caller)
  if (accepted !== true)
    throw new BrokerError('forbidden', 'the claims of the JWT do not permit this request')
}
