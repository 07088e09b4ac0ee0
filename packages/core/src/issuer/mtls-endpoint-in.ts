import { endpointUrl } from '../shared/http/endpoint-url.ts'
import { isJsonObject } from '../shared/http/parse-json-object.ts'

/** The token endpoint for clients that a certificate authenticates (RFC 8705 section 5). */
export interface MtlsEndpoint {
  readonly mtlsTokenEndpoint?: string
}

/** Reads the alias in a discovery document. One that is not usable counts as absent: other clients do not need it. */
export function mtlsEndpointIn(
  { mtls_endpoint_aliases: aliases }: Record<string, unknown>,
  allowInsecureUrls: boolean,
): MtlsEndpoint {
  if (!isJsonObject(aliases)) return {}
  const name = 'mtls_endpoint_aliases.token_endpoint'
  try {
    return { mtlsTokenEndpoint: endpointUrl(aliases['token_endpoint'], name, allowInsecureUrls) }
  } catch {
    return {}
  }
}
