import type { ClientCredentials } from '../../clients/client-credentials.ts'
import type { ClientAuthMethod } from '../../options/broker-options.ts'
import type { TransportRequest } from '../../shared/http/transport.ts'

/** Builds the POST request of RFC 6749 section 4.4.2. */
export function tokenRequest(
  credentials: ClientCredentials,
  { authMethod, userAgent, signal }: { authMethod: ClientAuthMethod; userAgent: string; signal: AbortSignal },
): TransportRequest {
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  if (credentials.scope !== '') form.set('scope', credentials.scope)
  const headers: Record<string, string> = {
    accept: 'application/json',
    // A proxy in front of Dex may compress nevertheless.
    'accept-encoding': 'identity',
    'user-agent': userAgent,
    'content-type': 'application/x-www-form-urlencoded',
  }
  if (authMethod === 'client_secret_basic') {
    headers['authorization'] = basicAuthorization(credentials)
  } else {
    form.set('client_id', credentials.clientId)
    form.set('client_secret', credentials.clientSecret)
  }
  return { method: 'POST', headers, body: form.toString(), redirect: 'manual', signal }
}

/**
 * RFC 6749 section 2.3.1: both parts are form-encoded before they are joined. Dex decodes them, so that `+` and `%` work in a
 * secret and `:` in a client id.
 */
function basicAuthorization({ clientId, clientSecret }: ClientCredentials): string {
  return `Basic ${Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64')}`
}

/** The spellings of the secret that an answer could echo. */
export function secretSpellings(credentials: ClientCredentials): readonly string[] {
  const { clientId, clientSecret } = credentials
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

function formEncoded(value: string): string {
  return new URLSearchParams({ '': value }).toString().slice(1)
}
