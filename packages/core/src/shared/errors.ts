import type { Hint } from './hint.ts'
import type { UpstreamRequest } from './upstream-request.ts'

/**
 * The HTTP status and the meaning of every error code: the one table.
 *
 * The codes of RFC 6749 section 5.2 and RFC 6750 section 3.1 keep their names. The others tell whether the caller, the
 * operator or Dex has to act.
 */
export const brokerErrorCodes = {
  invalid_request: {
    status: 400,
    description:
      'A credential header is too long, contains a character outside %x20-7E, or appears more than once; or Basic credentials are malformed or not the only ones.',
  },
  missing_credentials: {
    status: 401,
    description: 'Neither the request nor the configuration has a client id and a client secret.',
  },
  invalid_token: {
    status: 401,
    description: "The caller's JWT is missing or not acceptable (RFC 6750 section 3).",
  },
  token_request_rejected: {
    status: 401,
    description: "Dex rejected the caller's client credentials or scope.",
  },
  client_misconfigured: {
    status: 502,
    description:
      'Dex rejected the configured client, or a request that comes entirely from the configuration, such as the connector of a token exchange.',
  },
  forbidden: {
    status: 403,
    description:
      "The caller is authenticated, and a rule denies the request, or Dex did not accept the caller's JWT for a token exchange.",
  },
  invalid_token_response: {
    status: 502,
    description:
      'The token endpoint answered without a usable token: a misconfiguration, an internal error, or a proxy in front of Dex.',
  },
  token_endpoint_unavailable: {
    status: 503,
    description:
      'The token endpoint is unavailable (connection, TLS, DNS, timeout), or it asked the broker to slow down.',
  },
  overloaded: {
    status: 503,
    description:
      'The circuit is open because Dex is failing, or a limit is reached: waiting callers, token requests, token exchanges of one user, or JWT signatures being verified.',
  },
  jwks_unavailable: {
    status: 503,
    description: 'No key set could be loaded, or the last one is too old to use.',
  },
  server_error: {
    status: 500,
    description: 'The broker failed internally; its log has the stack.',
  },
} as const

/** The code of a {@link BrokerError}: a key of {@link brokerErrorCodes}, which also has its HTTP status. */
export type BrokerErrorCode = keyof typeof brokerErrorCodes

/** The optional parts of a {@link BrokerError}. */
export interface BrokerErrorOptions {
  /** Time to wait before the next try, in milliseconds; rounded up to a whole number. */
  retryAfterMs?: number | undefined
  /** Whether a later try can succeed: network, timeout, 5xx, 429, a proxy's 4xx in front of Dex. Default `false`. */
  transient?: boolean | undefined
  /** The HTTP status of an upstream's answer that was refused. */
  upstreamStatus?: number | undefined
  /** The request to Dex or to a JWKS endpoint that failed: URL, attempt, limit. Never sent to a caller. */
  upstreamRequest?: UpstreamRequest | undefined
  /** The registered `error` of Dex's answer (RFC 6749 section 5.2). A 401 with an unknown one counts as `invalid_client`. */
  oauthError?: string | undefined
  /**
   * Dex's `error_description`: at most 200 characters, without control characters, `undefined` when it contains the
   * secret. For the operator; never sent to a caller.
   */
  oauthErrorDescription?: string | undefined
  /** The likely cause, for the operator: a problem and an option. Never sent to a caller. */
  hint?: Hint | undefined
  /** Whether the caller sent no credentials; the challenge then has no `error` (RFC 6750 section 3.1). Default `false`. */
  credentialsAbsent?: boolean | undefined
  /** The underlying error. It may name hosts and files: log it, and never send it to a caller. */
  cause?: unknown
}

const brand = Symbol.for('@broker/core/BrokerError')

/**
 * The only error that the broker rejects with, apart from the reason of a caller's own abort and `TypeError` for wrong
 * use.
 *
 * `message` is safe to send to callers: it never contains a secret, a token or upstream text.
 */
export class BrokerError extends Error {
  /** Always `BrokerError`, also in minified code. */
  override readonly name: string = 'BrokerError'
  /** The kind of failure: a key of {@link brokerErrorCodes}. Stable, unlike `message`. */
  readonly code: BrokerErrorCode
  /** The HTTP status for the code, from {@link brokerErrorCodes}. */
  readonly status: number
  /** Time to wait before the next try, in whole milliseconds; `undefined` when it is not known. */
  readonly retryAfterMs: number | undefined
  /** Whether a later try can succeed: network, timeout, 5xx, 429, a proxy's 4xx in front of Dex. */
  readonly transient: boolean
  /** The HTTP status of the upstream's answer; `undefined` when there was none. */
  readonly upstreamStatus: number | undefined
  /** The request to Dex or to a JWKS endpoint that failed: URL, attempt, limit. For the log only. */
  readonly upstreamRequest: UpstreamRequest | undefined
  /** The registered `error` of Dex's answer (RFC 6749 section 5.2), such as `invalid_client` or `invalid_scope`. */
  readonly oauthError: string | undefined
  /** Dex's `error_description`: at most 200 characters, without control characters. For the log only. */
  readonly oauthErrorDescription: string | undefined
  /** The likely cause, for the operator; `hintText` of `@broker/core/options` words it. For the log only. */
  readonly hint: Hint | undefined
  /** Whether the caller sent no credentials; the challenge then has no `error` (RFC 6750 section 3.1). */
  readonly credentialsAbsent: boolean

  /** Creates an error; `message` may be sent to callers, so it must not contain a secret or upstream text. */
  constructor(code: BrokerErrorCode, message: string, options: BrokerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = brokerErrorCodes[code].status
    this.retryAfterMs = options.retryAfterMs && Math.ceil(options.retryAfterMs)
    this.transient = options.transient ?? false
    this.upstreamStatus = options.upstreamStatus
    this.upstreamRequest = options.upstreamRequest
    this.oauthError = options.oauthError
    this.oauthErrorDescription = options.oauthErrorDescription
    this.hint = options.hint
    this.credentialsAbsent = options.credentialsAbsent ?? false
    Object.defineProperty(this, brand, { value: true })
  }

  /** Tells whether a value is a `BrokerError`, also one of another installed copy of this package. */
  static is(value: unknown): value is BrokerError {
    return typeof value === 'object' && value !== null && brand in value
  }
}
