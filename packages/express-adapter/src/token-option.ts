import type { TokenRequest } from '@broker/core'
import { tokenRequestOf } from '@broker/core/options'
import type { Request } from 'express'

/** A token request, or a function of the incoming request that returns one and may be async. */
export type TokenOption = TokenRequest | ((request: Request) => TokenRequest | PromiseLike<TokenRequest>)

/** Calls the function of an option `token`. Rejects with a `TypeError` for anything but a token request. */
export async function tokenRequestFor(
  request: Request,
  token: Extract<TokenOption, (request: Request) => unknown>,
): Promise<TokenRequest> {
  return tokenRequestOf(await token(request), 'token must return a token request')
}
