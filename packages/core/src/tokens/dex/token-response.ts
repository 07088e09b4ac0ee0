import type { ClientCredentials } from '../../clients/client-credentials.ts'
import { BrokerError, type BrokerErrorOptions } from '../../shared/errors.ts'
import type { Hint } from '../../shared/hint.ts'
import { parseJsonObject } from '../../shared/http/parse-json-object.ts'
import { isPassing, problemOfStatus } from '../../shared/http/upstream-status.ts'
import { isOutage, oauthErrorOf } from './oauth-error.ts'
import { fitsHeaders, isAccessToken, tokenFields } from './token-bounds.ts'

/** A valid token response (RFC 6749 section 5.1). */
export interface TokenResponse {
  readonly accessToken: string
  /** In seconds; `undefined` when the response has no `expires_in`. */
  readonly expiresIn: number | undefined
  /** The issuer's time of the answer (`Date`), in milliseconds since the Unix epoch. */
  readonly answeredAt: number | undefined
  /** The wanted fields that the response has as a string or a number, as text. */
  readonly fields: Readonly<Record<string, string>>
}

/** An answer of the token endpoint; `body` is `undefined` when it is longer than 64 KiB. */
export interface TokenEndpointAnswer {
  readonly status: number
  readonly retryAfterMs: number | undefined
  /** The `Date` header, in milliseconds since the Unix epoch. */
  readonly answeredAt: number | undefined
  /** Its content coding, if the broker cannot decode it. */
  readonly unknownCoding: string | undefined
  readonly body: string | undefined
}

export interface Judgement {
  /** The credentials of the request. */
  readonly credentials: ClientCredentials
  /** Fields of the token response to keep, by their JSON names. */
  readonly wantedFields: readonly string[]
  /** The option that holds the URL of the token endpoint. */
  readonly option: string
}

/** Codes that mean `invalid_client` when they come with 401. */
const codesOfRefusedClient: ReadonlySet<string> = new Set(['access_denied', 'unauthorized_client'])
/** No real number is longer. */
const maxNumberLength = 32
const numeric = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/

/**
 * Judges an answer field by field. Returns the token, or throws a `BrokerError`. Its code shows whether caller, operator or Dex is
 * at fault, and its `hint` shows the operator the likely cause.
 */
export function judgeTokenResponse(
  answer: TokenEndpointAnswer,
  { credentials, wantedFields, option }: Judgement,
): TokenResponse {
  if (answer.status !== 200) throw refusal(answer, credentials, option)
  const notDex = (message: string) => unusable(message, { hint: hintForContent(answer, option) })
  if (answer.body === undefined) throw notDex('the token response is too large')
  const response = parseJsonObject(answer.body)
  if (response === undefined) throw notDex('the token response is not a JSON object')
  const { access_token: accessToken, token_type: tokenType } = response
  if (!isAccessToken(accessToken)) throw notDex('the token response has no usable access_token')
  if (!isAbsent(tokenType) && (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer')) {
    throw notDex('the token response has a token_type that is not Bearer')
  }
  const expiresIn = expiresInOf(response)
  if (Number.isNaN(expiresIn)) throw notDex('the token response has an expires_in that is not a number')
  const fields = tokenFields(response, wantedFields)
  // Each of them becomes a header, and some fields become several.
  const fieldValues = wantedFields.map(name => fields[name])
  if (!fitsHeaders(accessToken, fieldValues)) {
    throw unusable(
      wantedFields.length === 0
        ? 'the access_token is longer than 60 KiB'
        : 'the access_token and the mapped fields are longer than 60 KiB',
    )
  }
  return { accessToken, expiresIn, answeredAt: answer.answeredAt, fields }
}

/** An optional member without a value counts as absent. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

/** NaN for what is not a number. */
function expiresInOf(response: Record<string, unknown>): number | undefined {
  const value = response['expires_in']
  if (isAbsent(value)) return undefined
  if (typeof value === 'number') return value
  if (typeof value === 'string' && value.length <= maxNumberLength && numeric.test(value))
    return Number(value)
  return Number.NaN
}

/** Only an OAuth error comes from Dex itself; any other refusal comes from a proxy in front of Dex. */
function refusal(answer: TokenEndpointAnswer, credentials: ClientCredentials, option: string): BrokerError {
  const { status, retryAfterMs } = answer
  const oauthError = answer.body === undefined ? undefined : oauthErrorOf(answer.body, credentials)
  const code = oauthError?.code
  const isJudging = status === 400 || status === 401 || status === 403
  if (code !== undefined && (status >= 500 || (isJudging && isOutage(code)))) {
    return unusable('the token endpoint cannot answer', {
      retryAfterMs,
      upstreamStatus: status,
      transient: true,
      oauthError: code,
      oauthErrorDescription: oauthError?.description,
      hint: { problem: 'upstream_failed', option, detail: String(status) },
    })
  }
  if (isJudging && code === 'unsupported_grant_type') {
    return unusable('the token endpoint does not support the client_credentials grant', {
      hint: { problem: 'grant_not_supported', option },
      oauthErrorDescription: oauthError?.description,
    })
  }
  if (isJudging && oauthError !== undefined) {
    return new BrokerError('token_request_rejected', 'the client credentials or the scope were rejected', {
      retryAfterMs,
      oauthError: isClientRefused(status, code, credentials) ? 'invalid_client' : code,
      oauthErrorDescription: oauthError.description,
    })
  }
  if (status === 429) {
    return new BrokerError('token_endpoint_unavailable', 'the token endpoint asked the broker to slow down', {
      retryAfterMs,
      upstreamStatus: status,
      transient: true,
    })
  }
  // A cached token stays in use: the credentials were not judged, or the failure will pass.
  const transient = isPassing(status)
  return unusable(`the token endpoint answered with status ${status}`, {
    retryAfterMs: transient ? retryAfterMs : undefined,
    upstreamStatus: status,
    transient,
    hint: isJudging ? hintInFront(answer, option) : hintOfStatus(status, option),
    oauthErrorDescription: oauthError?.description,
  })
}

/**
 * RFC 6749 section 5.2 has 401 for `invalid_client` alone. For a wrong secret Keycloak answers `unauthorized_client` with it, and Auth0
 * `access_denied`. Under token exchange, Dex answers it about the subject token.
 */
function isClientRefused(status: number, code: string | undefined, { exchange }: ClientCredentials): boolean {
  if (status !== 401) return false
  return code === undefined || (exchange === undefined && codesOfRefusedClient.has(code))
}

function hintInFront(answer: TokenEndpointAnswer, option: string): Hint {
  if (isPlainHttpRefused(answer)) return hintOfStatus(answer.status, option, 'not_http')
  const hint = hintForContent(answer, option)
  return hint.problem === 'encoded' ? hint : hintOfStatus(answer.status, option)
}

function hintOfStatus(status: number, option: string, problem = problemOfStatus(status)): Hint {
  return { problem, option, detail: String(status) }
}

/** The answers of Go's server and of nginx to plain HTTP on a TLS port. */
function isPlainHttpRefused({ status, body = '' }: TokenEndpointAnswer): boolean {
  return status === 400 && /HTTP request (?:to an|was sent to) HTTPS (?:server|port)/.test(body)
}

/** Explains content that is not an answer of Dex: an unknown content coding, if there is one. */
function hintForContent({ unknownCoding, body = '' }: TokenEndpointAnswer, option: string): Hint {
  return unknownCoding === undefined || parseJsonObject(body) !== undefined
    ? { problem: 'not_dex', option }
    : { problem: 'encoded', option, detail: unknownCoding }
}

function unusable(message: string, options: BrokerErrorOptions = {}): BrokerError {
  return new BrokerError('invalid_token_response', message, options)
}
