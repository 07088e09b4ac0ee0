export { type HeaderProviderOptions, headerProvider } from '@broker/core'
export { type AttachTokenOptions, attachToken } from './attach-token.ts'
export { tokenOf } from './attached-token.ts'
export { brokerErrorHandler } from './broker-error-handler.ts'
export { createRequestFetch, type RequestFetchOptions } from './create-request-fetch.ts'
export type { ExchangeOption } from './exchange-option.ts'
export {
  type ClaimsGuard,
  type ClaimsMiddleware,
  type ClaimsPredicate,
  requireClaims,
} from './require-claims.ts'
export { authOf, requireJwt } from './require-jwt.ts'
export type { TokenOption } from './token-option.ts'
