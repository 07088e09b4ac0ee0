import { optionRules } from '../options/broker-options.ts'
import { BrokerError, type BrokerErrorCode } from '../shared/errors.ts'
import { bearerChallenge, type ChallengeError } from './challenge.ts'

/** The request may go on, with these changes. Nothing is in both lists: Envoy removes after it sets. */
export interface AllowVerdict {
  readonly outcome: 'allow'
  /** Headers to set on the request, replacing what the client sent; names in lower case. */
  readonly set: Readonly<Record<string, string>>
  /** Headers to remove from the request; names in lower case. */
  readonly remove: readonly string[]
}

/** The request must not go on: an answer for the client (`deny`, below 500) or for the proxy (`error`, 500 and above). */
export interface RefusalVerdict {
  readonly outcome: 'deny' | 'error'
  readonly code: BrokerErrorCode
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON as in RFC 6749 section 5.2. */
  readonly body: string
}

export type Verdict = AllowVerdict | RefusalVerdict

// Fixed text: what a parser says about a JWT may hold quotes, and parts of the JWT.
const invalidToken: ChallengeError = { error: 'invalid_token', description: 'The JWT is not acceptable' }
const insufficientScope: ChallengeError = { error: 'insufficient_scope' }

export interface RefusalOptions {
  /** The realm of the challenge: 1 to 128 printable ASCII characters. Default `dex-token-broker`. */
  readonly realm?: string | undefined
}

/**
 * An error as an HTTP answer: status, `WWW-Authenticate` on 401 and on `forbidden` (RFC 6750 section 3), `Retry-After`
 * on 503 and where known.
 *
 * Anything that is no `BrokerError` becomes `server_error`, without a word of its message. Throws a `TypeError` for a
 * realm that no header can carry.
 */
export function refusalOf(
  error: unknown,
  { realm = optionRules.realm.default }: RefusalOptions = {},
): RefusalVerdict {
  const { code, status, message, retryAfterMs, credentialsAbsent } = BrokerError.is(error)
    ? error
    : new BrokerError('server_error', 'internal error')
  const headers: Record<string, string> = { 'cache-control': 'no-store', 'content-type': 'application/json' }
  if (status === 401) {
    headers['www-authenticate'] = bearerChallenge(
      realm,
      code === 'invalid_token' && !credentialsAbsent ? invalidToken : {},
    )
  }
  if (code === 'forbidden') headers['www-authenticate'] = bearerChallenge(realm, insufficientScope)
  // Whatever could not be had is tried again after a second at the earliest.
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
