import { optionRules } from '../options/broker-options.ts'
import { assertKnownNames } from '../options/option-values.ts'
import { BrokerError, type BrokerErrorCode } from '../shared/errors.ts'
import { basicChallenge, bearerChallenge, type ChallengeError } from './challenge.ts'

/** The request may pass with these changes. No header is in both lists, because Envoy removes after it sets. */
export interface AllowVerdict {
  /** Always `allow`. */
  readonly outcome: 'allow'
  /** Headers to set on the request in place of the caller's; names in lower case. Contains the token, unless the caller's own JWT passes. */
  readonly set: Readonly<Record<string, string>>
  /** Headers to remove from the request; names in lower case. */
  readonly remove: readonly string[]
  /** The name of the rule that `chooseClient` gave. */
  readonly rule?: string | undefined
}

/** The request must not pass. Has a complete HTTP answer that is safe to send. */
export interface RefusalVerdict {
  /** `deny` with a status below 500: the caller's fault. `error` with 500 and above: the operator's or an upstream's. */
  readonly outcome: 'deny' | 'error'
  /** The code of the error. */
  readonly code: BrokerErrorCode
  /** The HTTP status of the answer. */
  readonly status: number
  /** The headers of the answer: `content-type`, `cache-control`, and `www-authenticate` and `retry-after` where they apply. */
  readonly headers: Readonly<Record<string, string>>
  /** JSON with `error` and `error_description`, as in RFC 6749 section 5.2. */
  readonly body: string
  /** The name of the rule that `chooseClient` gave with a denial. */
  readonly rule?: string | undefined
}

/** The result of a check; `outcome` tells the two kinds apart. */
export type Verdict = AllowVerdict | RefusalVerdict

// Fixed text, because a parser's message about a JWT can contain quotes and parts of the JWT.
const invalidToken: ChallengeError = { error: 'invalid_token', description: 'The JWT is not acceptable' }
const insufficientScope: ChallengeError = { error: 'insufficient_scope' }

/** The options of {@link refusalOf}. */
export interface RefusalOptions {
  /** The realm of the challenge: 1 to 128 printable ASCII characters. Default `dex-token-broker`. */
  readonly realm?: string | undefined
}

/**
 * Turns an error into an HTTP answer: status, `WWW-Authenticate` on 401 and on `forbidden` (RFC 6750 section 3), `Retry-After`
 * on 503 and where a time is known.
 *
 * Any value other than a `BrokerError` becomes `server_error` and shows nothing of its message. Throws a `TypeError` for an
 * invalid realm.
 */
export function refusalOf(error: unknown, options: RefusalOptions = {}): RefusalVerdict {
  assertKnownNames(options, ['realm'])
  const { realm = optionRules.realm.default } = options
  return refusalVerdict(error, { realm, credentialSchemes: ['Bearer'] })
}

/** The challenges of a broker. */
export interface Challenges {
  readonly realm: string
  /** The schemes that a refusal for client credentials offers (RFC 9110 section 11.6.1), the best first. */
  readonly credentialSchemes: readonly ('Basic' | 'Bearer')[]
}

/** Works like {@link refusalOf}, with the challenges of a broker. */
export function refusalVerdict(error: unknown, { realm, credentialSchemes }: Challenges): RefusalVerdict {
  const { code, status, message, retryAfterMs, credentialsAbsent } = BrokerError.is(error)
    ? error
    : new BrokerError('server_error', 'internal error')
  const headers: Record<string, string> = { 'cache-control': 'no-store', 'content-type': 'application/json' }
  if (code === 'invalid_token') {
    headers['www-authenticate'] = bearerChallenge(realm, credentialsAbsent ? {} : invalidToken)
  } else if (status === 401) {
    headers['www-authenticate'] = credentialSchemes
      .map(scheme => (scheme === 'Basic' ? basicChallenge(realm) : bearerChallenge(realm)))
      .join(', ')
  }
  if (code === 'forbidden') headers['www-authenticate'] = bearerChallenge(realm, insufficientScope)
  // A retry makes sense after a second at the earliest.
  const waitMs = retryAfterMs ?? (status === 503 ? 1_000 : undefined)
  if (waitMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(waitMs / 1000)))
  return {
    outcome: status < 500 ? 'deny' : 'error',
    code,
    status,
    headers,
    body: JSON.stringify({ error: code, error_description: message }),
  }
}
