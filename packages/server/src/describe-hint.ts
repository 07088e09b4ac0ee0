import { type Hint, type HintProblem, hintText } from '@broker/core/options'
import { variableOf } from './config/schema/variable-of.ts'

/** Problems of a request that has no credentials: behind Envoy, most often a header that Envoy does not forward. */
const problemsOfForwarding: ReadonlySet<HintProblem> = new Set(['jwt_absent', 'credentials_absent'])

/** Words a hint for the operator of the server: with the names of variables, and of Envoy's settings where they matter. */
export function describeHint(hint: Hint): string {
  const text = hintText(hint, nameOf)
  if (hint.problem === 'proxy_failed') {
    return `${text}; it is in HTTPS_PROXY, or in HTTP_PROXY for http, and NO_PROXY exempts hosts`
  }
  // undici reports both for a server that asks for a client certificate.
  if (hint.problem === 'tls_failed' || hint.problem === 'connection_closed') {
    return `${text}; if it asks for a client certificate, set DEX_CLIENT_CERT_FILE and DEX_CLIENT_KEY_FILE`
  }
  // Envoy always forwards `authorization`.
  if (!problemsOfForwarding.has(hint.problem) || hint.detail === 'authorization') return text
  return `${text}; Envoy forwards a header only if allowed_headers of ext_authz lists it (headersToExtAuth in a SecurityPolicy)`
}

/** Options that two variables can set. */
const pairs: Readonly<Record<string, string>> = {
  credentialHeaders: 'CLIENT_ID_HEADER and CLIENT_SECRET_HEADER',
  'client.clientSecret': 'STATIC_CLIENT_SECRET or STATIC_CLIENT_SECRET_FILE',
}

function nameOf(option: string): string {
  return pairs[option] ?? variableOf(option)
}
