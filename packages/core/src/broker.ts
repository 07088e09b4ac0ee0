import type { CheckRequest } from './check/check-request.ts'
import type { Verdict } from './check/verdict.ts'
import type { ExchangeRequest } from './clients/exchange-request.ts'
import type { TokenRequest } from './clients/token-request.ts'
import type { AuthenticatedCaller } from './gate/authenticated-caller.ts'
import type { JwtClaims } from './gate/jwt/jwt.ts'
import type { Missing } from './issuer/issuer.ts'
import type { MaybePromise } from './shared/maybe-promise.ts'
import type { Wait } from './shared/wait-for.ts'
import type { IssuedToken } from './tokens/issued-token.ts'

/**
 * The interface of a `TokenBroker`. Functions that take a broker take this, so that brokers of different installed copies of
 * this package are compatible.
 */
export interface Broker {
  /** The header that carries `Bearer <token>`, in lower case. */
  readonly authorizationHeader: string
  /** The headers that a token can set, in lower case: the authorization header and the mapped headers. */
  readonly tokenHeaders: readonly string[]
  /** The request headers with a caller's credentials or JWT, in lower case; empty with `credentialHeaders.strip: false`. */
  readonly credentialHeaders: readonly string[]

  /**
   * Returns a token from the cache, or requests one; concurrent calls for the same token share the request. Rejects with
   * `BrokerError`, or with the reason of the caller's own abort.
   */
  getToken(request?: TokenRequest & Wait): Promise<IssuedToken>

  /**
   * Works like `getToken`, but returns a cached token without a promise, for hot code. Throws `BrokerError` for missing or
   * invalid credentials, and `TypeError` for wrong use; every other failure rejects.
   */
  tokenFor(request: TokenRequest & Wait): MaybePromise<IssuedToken>

  /**
   * Returns a cached token in normal use, else `undefined`. Starts no request and counts nothing. Throws `BrokerError` for
   * missing or invalid credentials.
   */
  peekToken(request?: TokenRequest): IssuedToken | undefined

  /**
   * Returns a token of Dex about the user of a JWT, in exchange for that JWT (RFC 8693); from the cache, or from one request that
   * concurrent calls with the same JWT share. It is never used after the JWT's `exp`.
   *
   * With a gate, the JWT must be acceptable to it; rejects like `verify` otherwise. Without one, only Dex verifies it. Rejects with
   * `invalid_token` for a JWT without `exp`, `iss` and `sub`, with `forbidden` when Dex does not accept the user, with `overloaded`
   * for more than 4 exchanges of one user at a time, or more than 10 and then one in 2 seconds, and like `getToken`.
   */
  exchange(request: ExchangeRequest & Wait): Promise<IssuedToken>

  /**
   * Drops a token that a backend refused with 401, so that the next call gets a new one. Returns whether it was dropped.
   *
   * Drops only the token that is cached now, so that twenty refusals of one token cost one new token. Drops at most one token
   * per token request in 10 seconds, so that a backend that refuses every token does not cause one request per call.
   */
  invalidate(token: IssuedToken): boolean

  /**
   * Has the functions in `clientSecret` called again before the next token request of their clients, for example after a
   * notification of a vault. Cached tokens stay in use. Clients whose secret is a string are unaffected.
   */
  renewSecrets(): void

  /**
   * Verifies a caller's JWT, without `Bearer`, and returns the caller. Needs the option `gate` or `issuers`, else `TypeError`.
   *
   * Rejects with `invalid_token`, with `forbidden` when the caller lacks a required group or scope, with `jwks_unavailable`
   * without keys, or with `overloaded` when too many ES384 and ES512 signatures are being verified. `Claims` is an assertion about the
   * claims and validates nothing.
   */
  verify<Claims extends JwtClaims = JwtClaims>(jwt: string, wait?: Wait): Promise<AuthenticatedCaller<Claims>>

  /** Verifies the JWT in the headers of a request and returns its caller. Rejects like `verify`; `Claims` validates nothing. */
  authenticate<Claims extends JwtClaims = JwtClaims>(
    request: CheckRequest,
  ): Promise<AuthenticatedCaller<Claims>>

  /**
   * Decides whether a request may pass, and with which headers. Failures are verdicts as well: it rejects only with the reason
   * of the caller's own abort, and with `TypeError` for headers that are not header lines.
   */
  check(request: CheckRequest): Promise<Verdict>

  /** Works like `check`, but returns the verdict without a promise when token and JWT are cached, which is the usual case. */
  decide(request: CheckRequest): MaybePromise<Verdict>

  /**
   * Returns the parts that the broker must load before it is ready, and starts to load them: `endpoints` by discovery of any
   * issuer, `keys` of all issuers that the gate accepts. Empty when the broker is ready.
   */
  missing(): readonly Missing[]

  /**
   * Tells whether a URL is an endpoint that the broker uses: token endpoint, key set or discovery of any issuer. No token is sent
   * there.
   */
  asksAt(url: URL): boolean
}
