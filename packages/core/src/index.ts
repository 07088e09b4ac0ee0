export type { Broker } from './broker.ts'
export type { CheckFacts } from './check/check-facts.ts'
export type { CheckRequest } from './check/check-request.ts'
export type {
  CallersClientChoice,
  Choice,
  ChooseClient,
  ClientChoice,
  Denial,
  ExchangeChoice,
  PassChoice,
} from './check/choose-client.ts'
export { type HeaderValues, headerLines } from './check/header-lines.ts'
export type { IncomingRequest } from './check/incoming-request.ts'
export {
  type AllowVerdict,
  type RefusalOptions,
  type RefusalVerdict,
  refusalOf,
  type Verdict,
} from './check/verdict.ts'
export type {
  AssertionAlgorithm,
  AssertionClaims,
  AssertionKey,
  AssertionKeySource,
  AssertionRequest,
  ClientAuthentication,
  ClientAuthenticationMethod,
  MutualTls,
  PrivateKeyJwt,
  SecretAuthentication,
  SignAssertion,
  SignedPrivateKeyJwt,
} from './clients/client-authentication.ts'
export type { ExchangeParts, ExchangeRequest, SubjectTokenType } from './clients/exchange-request.ts'
export type { SecretRequest, SecretSource } from './clients/secret-source.ts'
export type { TokenRequest } from './clients/token-request.ts'
export type { AuthenticatedCaller } from './gate/authenticated-caller.ts'
export type { JwtClaims } from './gate/jwt/jwt.ts'
export type { Missing } from './issuer/issuer.ts'
export type {
  ClientAuthMethod,
  DefaultClient,
  GateOptions,
  IssuerOptions,
  NamedClient,
  SharedStoreOptions,
  TokenBrokerOptions,
} from './options/broker-options.ts'
export type { CredentialHeaderOptions } from './options/credential-header-options.ts'
export type { ReservedHeaderPrefixes } from './options/header-name.ts'
export { type AxiosLike, axiosInterceptor } from './outbound/axios-interceptor.ts'
export type { TokenRequestFunction } from './outbound/call-tokens.ts'
export { checkedTokenRequest } from './outbound/checked-token-request.ts'
export { type CreateFetchOptions, createFetch } from './outbound/create-fetch.ts'
export { type GotHooks, gotHooks } from './outbound/got-hooks.ts'
export { type HeaderProviderOptions, headerProvider } from './outbound/header-provider.ts'
export type { OutgoingTokenOptions } from './outbound/outgoing-tokens.ts'
export { refusesToken } from './outbound/refuses-token.ts'
export type { ProvidedToken, TokenProvider } from './outbound/token-provider.ts'
export type {
  BrokerEvent,
  BrokerObserver,
  SharedStoreOperation,
  SharedStoreOutcome,
} from './shared/broker-event.ts'
export type { Clock } from './shared/clock.ts'
export {
  BrokerError,
  type BrokerErrorCode,
  type BrokerErrorOptions,
  brokerErrorCodes,
} from './shared/errors.ts'
export type { Hint } from './shared/hint.ts'
export type { Transport, TransportRequest, TransportResponse } from './shared/http/transport.ts'
export type { JwtRefusalReason } from './shared/jwt-refusal-reason.ts'
export type { Logger } from './shared/logger.ts'
export type { MaybePromise } from './shared/maybe-promise.ts'
export type { Span, SpanAttributes, SpanContext, SpanStart, Tracer } from './shared/tracer.ts'
export type { UpstreamRequest } from './shared/upstream-request.ts'
export type { Wait } from './shared/wait-for.ts'
export type { BrokerStatus, WorkStatus } from './status/broker-status.ts'
export type { CacheStatus } from './status/cache-status.ts'
export type { CircuitState, CircuitStatus } from './status/circuit-status.ts'
export type { ClientStatus, TokenStatus } from './status/client-status.ts'
export type {
  ClockSkewStatus,
  DocumentStatus,
  IssuerStatus,
  KeySetStatus,
  LoadStatus,
  TokenEndpointStatus,
} from './status/issuer-status.ts'
export type { FailureStatus, OutagePeriod, OutageStatus } from './status/outage-status.ts'
export type { SharedStoreStatus } from './status/shared-store-status.ts'
export { type CacheStatistics, TokenBroker } from './token-broker.ts'
export type { IssuedToken } from './tokens/issued-token.ts'
export type {
  ForgottenRecord,
  LeaseAnswer,
  LeaseRequest,
  SharedTokenStore,
  StoredRecord,
} from './tokens/shared-store/shared-token-store.ts'
