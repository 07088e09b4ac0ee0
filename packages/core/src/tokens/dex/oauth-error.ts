import type { ClientCredentials } from '../../clients/client-credentials.ts'
import { parseJsonObject } from '../../shared/http/parse-json-object.ts'
import { secretSpellings } from './token-request.ts'

/** The error of an authorization server that refuses a token request (RFC 6749 section 5.2). */
export interface OAuthError {
  /** The registered code. `undefined` for an unknown one, which could contain anything and is not repeated. */
  readonly code: string | undefined
  /** For the operator: at most 200 characters, without control characters; `undefined` when it contains the secret. */
  readonly description: string | undefined
}

/** The spelling of registered codes and of codes that servers invent: `invalid_client`, `need_info`. */
const spelling = /^[a-z]+(?:_[a-z0-9]+)+$/
const maxCodeLength = 64
/** Status phrases that proxies and frameworks put into a JSON member `error`; Dex uses none of them. */
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
/** A part of the secret with as many characters hides the whole description. */
const maxShownPart = 12

/** Codes of a server that cannot judge the request now (RFC 6749 section 4.1.2.1), with any status. */
const outageCodes = new Set(['server_error', 'temporarily_unavailable'])

/** Codes of RFC 6749 sections 4.1.2.1 and 5.2, of RFC 8693, RFC 8707 and of Dex, and Entra's `invalid_resource` for RFC 8707's. */
const knownCodes = new Set([
  ...outageCodes,
  'access_denied',
  'invalid_client',
  'invalid_grant',
  'invalid_request',
  'invalid_resource',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_grant_type',
])

/**
 * Reads the OAuth error in the answer to a request with these credentials. Returns `undefined` for anything else, such as
 * the page of a proxy in front of Dex.
 */
export function oauthErrorOf(body: string, credentials: ClientCredentials): OAuthError | undefined {
  const { error, error_description: description } = parseJsonObject(body) ?? {}
  if (typeof error !== 'string' || !isOAuthCode(error)) return undefined
  return { code: knownCodes.has(error) ? error : undefined, description: shownText(description, credentials) }
}

/** Whether a code is about the server and not about the request. */
export function isOutage(code: string): boolean {
  return outageCodes.has(code)
}

function isOAuthCode(error: string): boolean {
  if (knownCodes.has(error)) return true
  return error.length <= maxCodeLength && spelling.test(error) && !statusPhrases.has(error)
}

function shownText(text: unknown, credentials: ClientCredentials): string | undefined {
  if (typeof text !== 'string' || echoesSecret(text, credentials)) return undefined
  // A cut can leave half of a surrogate pair.
  return text
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ')
    .slice(0, maxDescriptionLength)
    .toWellFormed()
}

/** Tells whether a text contains the secret, also escaped, wrapped, in another case or cut off. */
function echoesSecret(text: string, credentials: ClientCredentials): boolean {
  const plain = comparable(text)
  return secretSpellings(credentials).some(spelling => {
    return text.includes(spelling) || plain.includes(comparable(spelling).slice(0, maxShownPart))
  })
}

function comparable(text: string): string {
  return text.replace(/&(?:#?\w{1,8});|[\s\p{C}\\&<>"']/gu, '').toLowerCase()
}
