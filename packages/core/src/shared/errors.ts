import type { Hint } from './hint.ts'

/**
 * Every way in which the broker refuses or fails, with the HTTP status of each: the one table.
 *
 * The codes of RFC 6749 section 5.2 and RFC 6750 section 3.1 keep their names; the others say whose fault it is.
 */
export const brokerErrorCodes = {
  invalid_request: {
    status: 400,
    description:
      'A header that carries credentials is too long, has a character outside %x20-7E, or stands on two lines.',
  },
  missing_credentials: {
    status: 401,
    description:
      'There is no client id or no client secret, neither in the request nor in the configuration.',
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
      'Dex rejected a client whose id and secret both come from the configuration, or its configured scope.',
  },
  forbidden: {
    status: 403,
    description: 'The request is understood and authenticated, and a rule says no.',
  },
  invalid_token_response: {
    status: 502,
    description:
      'The token endpoint answered, but not with a usable token: a misconfiguration, an internal error, or something in front of Dex.',
  },
  token_endpoint_unavailable: {
    status: 503,
    description:
      'The token endpoint could not be asked: connection, TLS, DNS, timeout, or it asked us to wait.',
  },
  overloaded: {
    status: 503,
    description:
      'Dex is failing and the circuit is open, too many callers wait for this token, too many tokens are being requested, or too many signatures of callers are being verified.',
  },
  jwks_unavailable: {
    status: 503,
    description: 'No key set could be loaded, or the last one is too old to be trusted.',
  },
  server_error: {
    status: 500,
    description: 'A fault of the broker itself; the log has the stack.',
  },
} as const

/** A key of {@link brokerErrorCodes}, so that a code without a status does not compile. */
export type BrokerErrorCode = keyof typeof brokerErrorCodes

export interface BrokerErrorOptions {
  /** How long to wait before another try, in milliseconds, when that is known; rounded up to whole ones. */
  retryAfterMs?: number | undefined
  /** Whether the cause lies in an upstream that cannot answer now: network, timeout, 5xx, 429. Default `false`. */
  transient?: boolean | undefined
  /** The status of the upstream's answer, when there was one that was refused. */
  upstreamStatus?: number | undefined
  /** The `error` of Dex's answer (RFC 6749 section 5.2) when it is a registered one; a 401 without it is `invalid_client`. */
  oauthError?: string | undefined
  /** For the operator: what Dex said about the refusal (`error_description`), bounded and plain. Never sent to a caller. */
  oauthErrorDescription?: string | undefined
  /** For the operator: what to look at. Never sent to a caller. */
  hint?: Hint | undefined
  /** Whether the caller brought no credentials at all: the challenge then names no error (RFC 6750 section 3.1). */
  credentialsAbsent?: boolean | undefined
  /** What led here. May name hosts and files, so it goes to the log and to nobody else. */
  cause?: unknown
}

const brand = Symbol.for('@broker/core/BrokerError')

/**
 * The only error that the broker rejects with, apart from a caller's own abort reason and `TypeError` for wrong use.
 *
 * `message` is safe to show: it never holds a secret, a token or what an upstream sent.
 */
export class BrokerError extends Error {
  override readonly name: string = 'BrokerError'
  readonly code: BrokerErrorCode
  readonly status: number
  readonly retryAfterMs: number | undefined
  readonly transient: boolean
  readonly upstreamStatus: number | undefined
  readonly oauthError: string | undefined
  readonly oauthErrorDescription: string | undefined
  readonly hint: Hint | undefined
  readonly credentialsAbsent: boolean

  constructor(code: BrokerErrorCode, message: string, options: BrokerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = brokerErrorCodes[code].status
    this.retryAfterMs = options.retryAfterMs && Math.ceil(options.retryAfterMs)
    this.transient = options.transient ?? false
    this.upstreamStatus = options.upstreamStatus
    this.oauthError = options.oauthError
    this.oauthErrorDescription = options.oauthErrorDescription
    this.hint = options.hint
    this.credentialsAbsent = options.credentialsAbsent ?? false
    Object.defineProperty(this, brand, { value: true })
  }

  /** Whether a value is a `BrokerError`, also one of another installed copy of this package. */
  static is(value: unknown): value is BrokerError {
    return typeof value === 'object' && value !== null && brand in value
  }
}
