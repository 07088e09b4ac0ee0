export type { AuthenticatedCaller, CheckRequest } from './check/check.ts'
export { type AllowVerdict, type RefusalVerdict, refusalOf, type Verdict } from './check/verdict.ts'
export type { ClientAuthMethod } from './clients/client-credentials.ts'
export type { TokenRequest } from './clients/requested-tokens.ts'
export type { JwtClaims } from './gate/jwt/jwt.ts'
export type {
  CredentialHeaderOptions,
  DefaultClient,
  GateOptions,
  TokenBrokerOptions,
} from './options/broker-options.ts'
export { type CreateFetchOptions, createFetch } from './outbound/create-fetch.ts'
export { type HeaderProviderOptions, headerProvider } from './outbound/header-provider.ts'
export type { OutgoingTokenOptions } from './outbound/outgoing-tokens.ts'
export type { BrokerEvent, BrokerObserver } from './shared/broker-event.ts'
export type { Clock } from './shared/clock.ts'
export {
  BrokerError,
  type BrokerErrorCode,
  type BrokerErrorOptions,
  brokerErrorCodes,
} from './shared/errors.ts'
export type { Transport, TransportRequest, TransportResponse } from './shared/http/transport.ts'
export type { Logger } from './shared/logger.ts'
export type { Wait } from './shared/wait-for.ts'
export { type CacheStatistics, TokenBroker } from './token-broker.ts'
export type { IssuedToken } from './tokens/issued-token.ts'
