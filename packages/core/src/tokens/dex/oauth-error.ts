import type { ClientCredentials } from '../../clients/client-credentials.ts'
import { parseJsonObject } from '../../shared/http/parse-json-object.ts'
import { secretSpellings } from './token-request.ts'

/** What an authorization server says about a request that it refuses (RFC 6749 section 5.2). */
export interface OAuthError {
  /** The registered code; `undefined` for one that nobody knows, which is not repeated: who knows what it holds. */
  readonly code: string | undefined
  /** For the operator, of a configured client alone: at most 200 characters, no control characters, not the secret. */
  readonly description: string | undefined
}

/** How every registered code is spelled, and those that servers make up: `invalid_client`, `need_info`. */
const spelling = /^[a-z]+(?:_[a-z0-9]+)+$/
const maxCodeLength = 64
/** Proxies and frameworks put the phrase of the status into a JSON member `error`: `bad_request` is no word of Dex. */
const statusPhrases = new Set([
  'bad_gateway',
  'bad_request',
  'content_too_large',
  'gateway_timeout',
  'internal_error',
  'internal_server_error',
  'method_not_allowed',
  'not_acceptable',
  'not_found',
  'payload_too_large',
  'proxy_authentication_required',
  'rate_limited',
  'request_timeout',
  'service_unavailable',
  'too_many_requests',
  'unsupported_media_type',
])
const maxDescriptionLength = 200

/** Codes with which a server says that it cannot judge now (RFC 6749 section 4.1.2.1), whatever the status. */
const outageCodes = new Set(['server_error', 'temporarily_unavailable'])

/** Codes of RFC 6749 sections 4.1.2.1 and 5.2, of RFC 8693, RFC 8707 and of Dex. */
const knownCodes = new Set([
  ...outageCodes,
  'access_denied',
  'invalid_client',
  'invalid_grant',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_grant_type',
])

/**
 * The OAuth error in the answer to a request with these credentials; `undefined` for anything else, such as the page of
 * a proxy in front of Dex.
 */
export function oauthErrorOf(body: string, credentials: ClientCredentials): OAuthError | undefined {
  const { error, error_description: description } = parseJsonObject(body) ?? {}
  if (typeof error !== 'string' || !isOAuthCode(error)) return undefined
  return { code: knownCodes.has(error) ? error : undefined, description: shownText(description, credentials) }
}

/** Whether a code is about the server, and not about the request. */
export function isOutage(code: string): boolean {
  return outageCodes.has(code)
}

function isOAuthCode(error: string): boolean {
  if (knownCodes.has(error)) return true
  return error.length <= maxCodeLength && spelling.test(error) && !statusPhrases.has(error)
}

// To callers' own clients an issuer may say anything, and a caller can make it say something.
function shownText(text: unknown, credentials: ClientCredentials): string | undefined {
  if (typeof text !== 'string' || !credentials.configured) return undefined
  if (secretSpellings(credentials).some(spelling => text.includes(spelling))) return undefined
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ').slice(0, maxDescriptionLength)
}
