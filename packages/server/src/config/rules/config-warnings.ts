import { isExposedUrl } from '@broker/core/options'
import type { Config } from '../config.ts'

/** What is allowed but dangerous about a configuration, in sentences for the log; none of them holds a secret. */
export function configWarnings({ broker, allowUnauthenticatedCallers }: Config): string[] {
  const { issuer, client = {}, gate, credentialHeaders = {} } = broker
  const isFixedIdentity = client.clientId !== undefined && client.clientSecret !== undefined
  const warnings: string[] = []
  if (client.clientSecret !== undefined && gate === undefined && !allowUnauthenticatedCallers) {
    warnings.push(
      isFixedIdentity
        ? 'STATIC_CLIENT_ID and STATIC_CLIENT_SECRET are set without a JWT gate (JWKS_URL): whoever reaches the check listener gets a token. Where that is meant, set ALLOW_UNAUTHENTICATED_CALLERS=true.'
        : 'STATIC_CLIENT_SECRET is set without STATIC_CLIENT_ID: whoever names the client id that it belongs to gets a token. Where that is meant, set ALLOW_UNAUTHENTICATED_CALLERS=true.',
    )
  }
  if (isFixedIdentity && client.scope === undefined) {
    warnings.push(
      `STATIC_CLIENT_ID and STATIC_CLIENT_SECRET are set without STATIC_SCOPE: callers choose the scope with ${credentialHeaders.scope}, under the broker's identity.`,
    )
  }
  if (gate !== undefined && gate.audience === undefined) {
    const keys = gate.jwksUri === undefined ? "A JWT gate with Dex's keys" : 'JWKS_URL'
    warnings.push(
      `${keys} is set without JWT_AUDIENCE: a JWT that the issuer made for any other service is accepted here too.`,
    )
  }
  if (gate !== undefined && gate.jwksUri === undefined && gate.issuer !== issuer) {
    warnings.push(
      'JWT_ISSUER is not DEX_ISSUER, whose keys check the JWTs: what Dex signs names DEX_ISSUER, and is refused.',
    )
  }
  return [...warnings, ...exposedUrlWarnings(broker)]
}

function exposedUrlWarnings({ issuer, tokenEndpoint, jwksUri, gate }: Config['broker']): string[] {
  const warnings: string[] = []
  const isExposed = (url: string | undefined) => url !== undefined && isExposedUrl(new URL(url))
  if (isExposed(issuer)) {
    warnings.push(
      'DEX_ISSUER is not https: whoever can change its answer on the way decides where client secrets go.',
    )
  }
  if (isExposed(tokenEndpoint)) {
    warnings.push('DEX_TOKEN_URL is not https: client secrets and tokens cross the network unencrypted.')
  }
  if (isExposed(jwksUri)) {
    warnings.push(
      'DEX_JWKS_URL is not https: whoever can change its answer on the way can have tokens dropped, and where it serves the gate, make JWTs that are accepted.',
    )
  }
  if (isExposed(gate?.jwksUri)) {
    warnings.push(
      'JWKS_URL is not https: whoever can change its answer on the way can make JWTs that are accepted.',
    )
  }
  return warnings
}
