import { BrokerError } from '../../shared/errors.ts'
import type { Hint } from '../../shared/hint.ts'
import { parseJsonObject } from '../../shared/http/parse-json-object.ts'

/** A token response that was judged good (RFC 6749 section 5.1). */
export interface TokenResponse {
  readonly accessToken: string
  /** Seconds; `undefined` when the response does not tell. */
  readonly expiresIn: number | undefined
  /** The wanted fields that are present, a string or a number each, as text. */
  readonly fields: Readonly<Record<string, string>>
}

/** What came back from the token endpoint; `body` is `undefined` when it was longer than the bound. */
export interface TokenEndpointAnswer {
  readonly status: number
  readonly retryAfterMs: number | undefined
  readonly body: string | undefined
}

/** Where an operator says what the token endpoint is. */
const option = 'tokenEndpoint'
const visibleAscii = /^[\x21-\x7e]+$/
/** What a header value may hold; a field with anything else counts as absent. */
const headerText = /^[\x20-\x7e]+$/
const numeric = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/

/** Codes of RFC 6749 section 5.2 and of Dex; any other is not repeated, because nobody knows what it may hold. */
const knownErrors = new Set([
  'access_denied',
  'invalid_client',
  'invalid_grant',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'server_error',
  'unauthorized_client',
  'unsupported_grant_type',
])

/**
 * Judges an answer field by field: the token in it, or a `BrokerError` that says whose fault it is and, as `hint`,
 * what an operator should look at.
 */
export function judgeTokenResponse(
  answer: TokenEndpointAnswer,
  wantedFields: readonly string[],
): TokenResponse {
  if (answer.status !== 200) throw refusal(answer)
  if (answer.body === undefined) throw unusable('the token response is too large')
  const response = parseJsonObject(answer.body)
  if (response === undefined) {
    throw unusable('the token response is not a JSON object', { problem: 'not_dex', option })
  }
  const { access_token: accessToken, token_type: tokenType } = response
  if (typeof accessToken !== 'string' || !visibleAscii.test(accessToken)) {
    throw unusable('the token response has no usable access_token')
  }
  if (tokenType !== undefined && (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer')) {
    throw unusable('the token response has a token_type that is not Bearer')
  }
  return { accessToken, expiresIn: expiresInOf(response), fields: fieldsOf(response, wantedFields) }
}

function expiresInOf(response: Record<string, unknown>): number | undefined {
  const value = response['expires_in']
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number') return value
  if (typeof value === 'string' && numeric.test(value)) return Number(value)
  throw unusable('the token response has an expires_in that is no number')
}

/** Shared: an object for each token is memory that adds up. */
const noFields: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

function fieldsOf(
  response: Record<string, unknown>,
  wantedFields: readonly string[],
): Record<string, string> {
  if (wantedFields.length === 0) return noFields
  // Without a prototype, because a field may have any name, `__proto__` and `constructor` included.
  const fields: Record<string, string> = Object.create(null)
  for (const name of wantedFields) {
    const value = Object.hasOwn(response, name) ? response[name] : undefined
    if (typeof value !== 'string' && typeof value !== 'number') continue
    const text = String(value)
    if (headerText.test(text)) fields[name] = text
  }
  return Object.freeze(fields)
}

function refusal(answer: TokenEndpointAnswer): BrokerError {
  const { status, retryAfterMs } = answer
  const oauthError = answer.body === undefined ? undefined : parseJsonObject(answer.body)?.['error']
  if (status === 400 && oauthError === 'unsupported_grant_type') {
    return unusable('the token endpoint does not support the client_credentials grant', {
      problem: 'grant_not_supported',
      option,
    })
  }
  if (status === 401 || status === 403 || (status === 400 && typeof oauthError === 'string')) {
    return new BrokerError('token_request_rejected', 'the client credentials or the scope were rejected', {
      retryAfterMs,
      oauthError: registeredError(oauthError) ?? (status === 401 ? 'invalid_client' : undefined),
    })
  }
  if (status === 429) {
    return new BrokerError('token_endpoint_unavailable', 'the token endpoint asks to slow down', {
      retryAfterMs,
      upstreamStatus: status,
      transient: true,
    })
  }
  return new BrokerError('invalid_token_response', `the token endpoint answered with status ${status}`, {
    retryAfterMs: status >= 500 ? retryAfterMs : undefined,
    upstreamStatus: status,
    transient: status >= 500,
    hint: hintForStatus(status),
  })
}

function registeredError(error: unknown): string | undefined {
  return typeof error === 'string' && knownErrors.has(error) ? error : undefined
}

function hintForStatus(status: number): Hint | undefined {
  if (status === 404) return { problem: 'path_not_found', option }
  if (status >= 300 && status < 400) return { problem: 'redirects', option }
  return status >= 500 ? { problem: 'upstream_failed', option } : undefined
}

function unusable(message: string, hint?: Hint): BrokerError {
  return new BrokerError('invalid_token_response', message, { hint })
}
