import type { ExchangeParts, ExchangeRequest } from '@broker/core'
import { exchangePartsOf } from '@broker/core/options'
import type { Request } from 'express'
import { authOf } from './require-jwt.ts'

/** The parts of a token exchange; its subject token is the JWT of the caller that `requireJwt` found. */
export type ExchangeOption = ExchangeParts

/** Returns the exchange of a request's caller. Throws a `TypeError` when `requireJwt` has not run for the request. */
export type ExchangeOf = (request: Request) => ExchangeRequest

/**
 * Validates the option `exchange`; `undefined` without it. Throws a `TypeError` that starts with `exchange`, also for `undefined`: a
 * user's call must not get the token of the client.
 */
export function exchangeOfCaller(options: {
  readonly token?: unknown
  readonly exchange?: ExchangeOption
}): ExchangeOf | undefined {
  if (!('exchange' in options)) return undefined
  if (options.token !== undefined) throw new TypeError('exchange must come without token')
  const parts = exchangePartsOf(options.exchange, 'exchange')
  return request => ({ ...parts, subjectToken: authOf(request).token })
}
