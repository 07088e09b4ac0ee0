import type { ClientAuthenticationMethod } from '../../clients/client-authentication.ts'
import type { ClientCredentials } from '../../clients/client-credentials.ts'
import { type OwnParameter, type Parameter, requestParameters } from '../../clients/request-parameters.ts'
import type { TransportRequest } from '../../shared/http/transport.ts'

/** Parts of real JWTs are longer, in characters. */
const minJwtPart = 12

export interface TokenRequestParts {
  readonly authMethod: ClientAuthenticationMethod
  readonly userAgent: string
  readonly signal: AbortSignal
  /** Limit of the answer's body. */
  readonly maxBodyBytes: number
  /** The headers that carry the context of its span. */
  readonly trace: Readonly<Record<string, string>>
}

/** Builds the POST request of RFC 6749 section 4.4.2, or of RFC 8693 section 2.1 for an exchange. */
export function tokenRequest(
  credentials: ClientCredentials,
  { authMethod, userAgent, signal, trace, maxBodyBytes }: TokenRequestParts,
): TransportRequest {
  const form: Parameter[] = requestParameters(credentials)
  const headers: Record<string, string> = {
    accept: 'application/json',
    // A proxy in front of Dex may compress nevertheless.
    'accept-encoding': 'identity',
    'user-agent': userAgent,
    'content-type': 'application/x-www-form-urlencoded',
    ...trace,
  }
  if (authMethod === 'client_secret_basic') {
    headers['authorization'] = basicAuthorization(credentials)
  } else {
    form.push(...authenticationParameters(credentials, authMethod))
  }
  return { method: 'POST', headers, body: formOf(form), redirect: 'manual', signal, maxBodyBytes }
}

/** The client id is sent with an assertion too (RFC 7521 section 4.2): some servers find the client by it. */
function authenticationParameters(
  { clientId, clientSecret, assertion = '' }: ClientCredentials,
  method: ClientAuthenticationMethod,
): [OwnParameter, string][] {
  const own: [OwnParameter, string][] = [['client_id', clientId]]
  if (method === 'client_secret_post') own.push(['client_secret', clientSecret])
  if (method !== 'private_key_jwt') return own
  return [
    ...own,
    ['client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'],
    ['client_assertion', assertion],
  ]
}

/**
 * RFC 6749 section 2.3.1: both parts are form-encoded before they are joined. Dex decodes them, so that `+` and `%` work in a
 * secret and `:` in a client id.
 */
function basicAuthorization({ clientId, clientSecret }: ClientCredentials): string {
  return `Basic ${Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64')}`
}

/** The spellings of the secrets that an answer could echo: of the client secret or assertion, and of the subject token of an exchange. */
export function secretSpellings(credentials: ClientCredentials): readonly string[] {
  const { assertion, exchange } = credentials
  return [
    ...spellingsOfSecret(credentials),
    ...[assertion, exchange?.subject.token].flatMap(jwt => (jwt === undefined ? [] : partsOfJwt(jwt))),
  ]
}

/** Each part by itself, because an answer could contain the end of a JWT. Short parts are in many texts. */
function partsOfJwt(jwt: string): readonly string[] {
  return jwt.split('.').filter(({ length }) => length >= minJwtPart)
}

function spellingsOfSecret(credentials: ClientCredentials): readonly string[] {
  const { clientId, clientSecret } = credentials
  // The empty text is in every text.
  if (clientSecret === '') return []
  const plainPair = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  const encodedPair = basicAuthorization(credentials).slice('Basic '.length)
  return [
    clientSecret,
    formEncoded(clientSecret),
    encodeURIComponent(clientSecret),
    ...[plainPair, encodedPair].map(withoutPadding),
  ]
}

function withoutPadding(base64: string): string {
  return base64.replace(/=+$/, '')
}

function formOf(parameters: readonly Parameter[]): string {
  return parameters.map(([name, value]) => `${formEncoded(name)}=${formEncoded(value)}`).join('&')
}

/** Characters of form encoding that `encodeURIComponent` writes in another way. */
const otherSpellings = /%20|[!'()~]/g

/** Encodes like `URLSearchParams` (URL Standard section 5.2), which is too slow for every token request. */
function formEncoded(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replace(otherSpellings, formSpelling)
}

function formSpelling(text: string): string {
  return text === '%20' ? '+' : `%${text.charCodeAt(0).toString(16).toUpperCase()}`
}
