import type { ExchangeParts } from '../clients/exchange-request.ts'
import type { AuthenticatedCaller } from '../gate/authenticated-caller.ts'
import type { IncomingRequest } from './incoming-request.ts'

/** The parts that every choice other than a denial may have. */
export interface Admission {
  /**
   * Request headers for the backend, by names of the option `backendHeaders`. Each of these headers that has no value, or one
   * that a header cannot carry, is removed from the request. Default: all are removed.
   */
  readonly set?: Readonly<Record<string, string | undefined>> | undefined
  /** The name of the rule that decided, for the log. Default: none. */
  readonly rule?: string | undefined
}

/** The request gets a token of a configured client. */
export interface ClientChoice extends Admission {
  /** A name in the option `clients`, or `default` for the option `client`. */
  readonly client: string
  /** Space-separated scopes in place of the client's. */
  readonly scope?: string | undefined
  /** Client ids of peers in place of the client's `audiences`. */
  readonly audiences?: readonly string[] | undefined
}

/** The request gets a token by the credentials in its own headers. */
export interface CallersClientChoice extends Admission {
  /** Uses the client in the caller's own headers. */
  readonly client: 'caller'
  /** The client ids that may be used; others are refused with `forbidden`. Default: the option `allowedClientIds`. */
  readonly allowedClientIds?: readonly string[] | undefined
  /** The scopes that may be requested; others are refused with `forbidden`. Default: the option `allowedScopes`. */
  readonly allowedScopes?: readonly string[] | undefined
}

/** The request gets a token of Dex for the caller, in exchange for the caller's verified JWT (RFC 8693); needs a gate. */
export interface ExchangeChoice extends Admission {
  /** The exchange. It always names its client. */
  readonly exchange: ExchangeParts & { readonly client: string }
}

/** The request passes with the caller's own verified JWT; needs a gate. */
export interface PassChoice extends Admission {
  /** Admits the request without a token. */
  readonly pass: true
}

/** The request is refused with `forbidden`. */
export interface Denial {
  /** The reason, for the caller: visible ASCII and blanks. */
  readonly deny: string
  /** The name of the rule that decided, for the log. Default: none. */
  readonly rule?: string | undefined
}

/** The decision about a request. */
export type Choice = ClientChoice | CallersClientChoice | ExchangeChoice | PassChoice | Denial

/**
 * Chooses what happens with a request. `caller` is `undefined` without a gate. Called for each check, so it must be fast and
 * synchronous. A `BrokerError` that it throws refuses the request; any other error is `server_error`.
 */
export type ChooseClient = (caller: AuthenticatedCaller | undefined, request: IncomingRequest) => Choice
