import type { CheckRequest } from './check/check-request.ts'
import type { Verdict } from './check/verdict.ts'
import type { TokenRequest } from './clients/token-request.ts'
import type { AuthenticatedCaller } from './gate/authenticated-caller.ts'
import type { JwtClaims } from './gate/jwt/jwt.ts'
import type { Missing } from './issuer/issuer.ts'
import type { MaybePromise } from './shared/maybe-promise.ts'
import type { Wait } from './shared/wait-for.ts'
import type { IssuedToken } from './tokens/issued-token.ts'

/**
 * What a `TokenBroker` does, without the class: whatever takes a broker takes this, so that a broker of any installed
 * copy of this package fits.
 */
export interface Broker {
  /** The header that carries `Bearer <token>`, in lower case. */
  readonly authorizationHeader: string
  /** Every header that a token may set, in lower case: the authorization header and the mapped ones. */
  readonly tokenHeaders: readonly string[]
  /** The request headers that carry a caller's credentials or JWT, in lower case; none when they are not to be removed. */
  readonly credentialHeaders: readonly string[]

  /** A living token: from the cache, or by a request that is shared by all who want the same one. */
  getToken(request?: TokenRequest & Wait): Promise<IssuedToken>

  /**
   * The same without a promise when the token is cached; for code that is called often. Throws when credentials are
   * missing or unusable, and rejects otherwise.
   */
  tokenFor(request: TokenRequest & Wait): MaybePromise<IssuedToken>

  /**
   * The token if it is cached and in normal use; changes nothing: no request starts, nothing is counted. Throws when
   * credentials are missing or unusable.
   */
  peekToken(request?: TokenRequest): IssuedToken | undefined

  /**
   * Drops a token that a backend refused with 401, so that the next call gets another one; says whether it was dropped.
   *
   * Only the very token that is cached goes, so twenty refusals of one token cost one new token; and at most one of
   * those that the same request yields in 10 seconds, so that a backend that refuses every token cannot make Dex sign
   * one for each call.
   */
  invalidate(token: IssuedToken): boolean

  /**
   * The claims of a caller's JWT that the gate accepts; else `invalid_token`, `jwks_unavailable` without keys, or
   * `overloaded` when too many signatures by ES384 or ES512 are being verified.
   */
  verify(jwt: string, wait?: Wait): Promise<JwtClaims>

  /** The caller that a request's JWT proves, from its header lines; else the errors of `verify`. Needs the option `gate`. */
  authenticate(request: CheckRequest): Promise<AuthenticatedCaller>

  /**
   * Whether a request may go on, and with which headers. Rejects only with the reason of the caller's own abort, and with
   * `TypeError` for headers that are not header lines.
   */
  check(request: CheckRequest): Promise<Verdict>

  /** The same without a promise when nothing has to be waited for: most checks do not wait, once tokens and JWTs are known. */
  decide(request: CheckRequest): MaybePromise<Verdict>

  /**
   * What the broker lacks before it can answer checks: `endpoints` that are not discovered, `keys` of a gate. Empty when
   * it is ready. Asking starts to load what is missing.
   */
  missing(): readonly Missing[]

  /** Whether the broker itself asks at a URL for tokens, keys or their endpoints: no token belongs there. */
  asksAt(url: URL): boolean
}
