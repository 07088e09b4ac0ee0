import type { ClientCredentials } from '../../clients/client-credentials.ts'
import type { ClientAuthMethod } from '../../options/broker-options.ts'
import type { TransportRequest } from '../../shared/http/transport.ts'

/** Parts of real JWTs are longer, in characters. */
const minJwtPart = 12
const tokenTypePrefix = 'urn:ietf:params:oauth:token-type:'

export interface TokenRequestParts {
  readonly authMethod: ClientAuthMethod
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
  const form = new URLSearchParams(grantParameters(credentials))
  if (credentials.scope !== '') form.set('scope', credentials.scope)
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
    form.set('client_id', credentials.clientId)
    form.set('client_secret', credentials.clientSecret)
  }
  return { method: 'POST', headers, body: form.toString(), redirect: 'manual', signal, maxBodyBytes }
}

function grantParameters({ exchange }: ClientCredentials): Record<string, string> {
  if (exchange === undefined) return { grant_type: 'client_credentials' }
  const { subject, subjectTokenType, connectorId } = exchange
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subject.token,
    subject_token_type: tokenTypePrefix + subjectTokenType,
    connector_id: connectorId,
  }
}

/**
 * RFC 6749 section 2.3.1: both parts are form-encoded before they are joined. Dex decodes them, so that `+` and `%` work in a
 * secret and `:` in a client id.
 */
function basicAuthorization({ clientId, clientSecret }: ClientCredentials): string {
  return `Basic ${Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64')}`
}

/** The spellings of the secrets that an answer could echo: of the client secret, and of the subject token of an exchange. */
export function secretSpellings(credentials: ClientCredentials): readonly string[] {
  const { clientId, clientSecret, exchange } = credentials
  const plainPair = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  const encodedPair = basicAuthorization(credentials).slice('Basic '.length)
  return [
    clientSecret,
    formEncoded(clientSecret),
    encodeURIComponent(clientSecret),
    ...[plainPair, encodedPair].map(withoutPadding),
    // Each part of a JWT by itself, because an answer could contain the end of it. Short parts are in many texts.
    ...(exchange?.subject.token.split('.').filter(({ length }) => length >= minJwtPart) ?? []),
  ]
}

function withoutPadding(base64: string): string {
  return base64.replace(/=+$/, '')
}

function formEncoded(value: string): string {
  return new URLSearchParams({ '': value }).toString().slice(1)
}
