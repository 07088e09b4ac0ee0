import type { Config } from './config.ts'
import { isExposedUrl } from './endpoint-url.ts'

/** What is allowed but dangerous about a configuration, in sentences for the log; none of them holds a secret. */
export function configWarnings(config: Config): string[] {
  const { client, gate, scopeHeader } = config
  const isFixedIdentity = client.clientId !== undefined && client.clientSecret !== undefined
  const warnings: string[] = []
  if (isFixedIdentity && gate === undefined) {
    warnings.push(
      'STATIC_CLIENT_ID and STATIC_CLIENT_SECRET are set without a JWT gate (JWKS_URL): whoever reaches the check listener gets a token.',
    )
  }
  if (isFixedIdentity && client.scope === undefined) {
    warnings.push(
      `STATIC_CLIENT_ID and STATIC_CLIENT_SECRET are set without STATIC_SCOPE: callers choose the scope with ${scopeHeader}, under the broker's identity.`,
    )
  }
  if (gate !== undefined && gate.audiences === undefined) {
    warnings.push(
      'JWKS_URL is set without JWT_AUDIENCE: a JWT that the issuer made for any other service is accepted here too.',
    )
  }
  return [...warnings, ...exposedUrlWarnings(config)]
}

function exposedUrlWarnings({ tokenEndpoint, gate }: Config): string[] {
  const warnings: string[] = []
  if (isExposedUrl(new URL(tokenEndpoint))) {
    warnings.push('DEX_TOKEN_URL is not https: client secrets and tokens cross the network unencrypted.')
  }
  if (gate !== undefined && isExposedUrl(new URL(gate.jwksUri))) {
    warnings.push(
      'JWKS_URL is not https: whoever can change its answer on the way can make JWTs that are accepted.',
    )
  }
  return warnings
}
