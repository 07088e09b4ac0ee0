export type { BrokerEvent, BrokerObserver } from './broker-event.ts'
export type {
  CredentialHeaderOptions,
  DefaultClient,
  GateOptions,
  TokenBrokerOptions,
} from './broker-options.ts'
export type { AuthenticatedCaller, CheckRequest } from './check/check.ts'
export { type AllowVerdict, type RefusalVerdict, refusalOf, type Verdict } from './check/verdict.ts'
export type { Clock } from './clock.ts'
export { BrokerError, type BrokerErrorCode, type BrokerErrorOptions, brokerErrorCodes } from './errors.ts'
export type { JwtClaims } from './gate/jwt.ts'
export type { Transport, TransportRequest, TransportResponse } from './http/transport.ts'
export type { Logger } from './logger.ts'
export { type CreateFetchOptions, createFetch } from './outbound/create-fetch.ts'
export { type HeaderProviderOptions, headerProvider } from './outbound/header-provider.ts'
export type { OutgoingTokenOptions } from './outbound/outgoing-tokens.ts'
export { type CacheStatistics, TokenBroker } from './token-broker.ts'
export type { ClientAuthMethod } from './tokens/client-credentials.ts'
export type { IssuedToken } from './tokens/issued-token.ts'
export type { TokenRequest } from './tokens/requested-tokens.ts'
export type { Wait } from './wait-for.ts'
