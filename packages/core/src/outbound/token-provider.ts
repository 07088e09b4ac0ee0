import type { Broker } from '../broker.ts'
import type { TokenRequest } from '../clients/token-request.ts'
import type { Logger } from '../shared/logger.ts'
import type { MaybePromise } from '../shared/maybe-promise.ts'
import type { Wait } from '../shared/wait-for.ts'
import type { IssuedToken } from '../tokens/issued-token.ts'

/** A token of a {@link TokenProvider}. Only `accessToken` is required; an `IssuedToken` fits. */
export interface ProvidedToken extends Partial<IssuedToken> {
  /** The access token without its scheme, in visible ASCII. A secret: do not log it. */
  readonly accessToken: string
}

/**
 * The part of a broker that outgoing calls need. Only `getToken` is required, so that a fake is
 * `{ getToken: async () => ({ accessToken: 'test' }) }`. A `TokenBroker` of any installed copy of this package fits.
 *
 * A member that is missing works like a broker with default options; the members are read at each call.
 */
export interface TokenProvider {
  /** Returns the token of a call; a rejection fails the call, and nothing is sent. After a 401 it is called once more. */
  getToken(request?: TokenRequest & Wait): PromiseLike<ProvidedToken>
  /** Works like `getToken`, but returns a token without a promise where it can. Default: `getToken`. */
  tokenFor?(request: TokenRequest & Wait): MaybePromise<ProvidedToken>
  /** Validates the option `token` when a function with this provider is created, by throwing. Default: validates its form only. */
  peekToken?(request?: TokenRequest): unknown
  /** Returns the token of an option `exchange`. Without it, the option is a `TypeError`. */
  exchange?: Broker['exchange']
  /**
   * Drops a token that a backend refused with 401, and returns whether it was dropped. The token has all members of an
   * `IssuedToken`. Default: returns `false`.
   */
  invalidate?(token: IssuedToken): boolean
  /** Tells whether a URL is an endpoint of the issuer, to which no token is sent. Default: returns `false`. */
  asksAt?(url: URL): boolean
  /** The header of a token without `headers`, in lower case. Default `authorization`. */
  readonly authorizationHeader?: string | undefined
  /** The headers that a token can set, in lower case. Default: `authorizationHeader` alone. */
  readonly tokenHeaders?: readonly string[] | undefined
  /** The headers of a caller's credentials, in lower case. Default: as in a broker with default options. */
  readonly credentialHeaders?: readonly string[] | undefined
  /** Receives a debug line for the first call to each origin outside `allow`. Default: no log. */
  readonly logger?: Pick<Logger, 'debug'> | undefined
}
