import { isExposedUrl, isLoopbackHost } from '@broker/core/options'
import { certificateWarnings } from '../../tls/certificate-warning.ts'
import type { Config } from '../config.ts'
import type { SettingsReading } from '../schema/read-settings.ts'
import { fileWarnings } from './file-warnings.ts'
import { gateVariables } from './gate-variables.ts'
import { oddValueWarnings } from './odd-values.ts'
import { sharedStoreWarnings } from './shared-store-rules.ts'
import { emptyLimitWarnings } from './tls-rules.ts'
import { unknownVariableWarnings } from './unknown-variables.ts'

/** Lists what is dangerous or likely a mistake in a valid configuration. */
export function configWarnings(
  config: Omit<Config, 'warnings' | 'notes'>,
  reading: SettingsReading,
): string[] {
  const { names, textOf, file, isSet } = reading
  const { broker, grpc, allowUnauthenticatedCallers } = config
  const { issuer, client = {}, gate, credentialHeaders = {} } = broker
  const isFixedIdentity = client.clientId !== undefined && client.clientSecret !== undefined
  const warnings: string[] = [...unknownVariableWarnings(names), ...oddValueWarnings(textOf)]
  if (client.clientId !== undefined && gate === undefined) {
    for (const variable of gateVariables.filter(name => textOf(name) === '')) {
      warnings.push(`${variable} is empty, so there is no JWT gate. Set it, or remove it.`)
    }
  }
  if (client.clientSecret !== undefined && gate === undefined && !allowUnauthenticatedCallers) {
    warnings.push(
      isFixedIdentity
        ? 'STATIC_CLIENT_ID and STATIC_CLIENT_SECRET are set without a JWT gate: every caller that reaches the check listener gets a token. Set JWT_AUDIENCE, or ALLOW_UNAUTHENTICATED_CALLERS=true if you want that.'
        : 'STATIC_CLIENT_SECRET is set without STATIC_CLIENT_ID: every caller that knows the client id gets a token. Set STATIC_CLIENT_ID and JWT_AUDIENCE, or ALLOW_UNAUTHENTICATED_CALLERS=true if you want that.',
    )
  }
  if (isFixedIdentity && client.scope === undefined && !file?.has.rules) {
    warnings.push(
      `STATIC_CLIENT_ID and STATIC_CLIENT_SECRET are set without STATIC_SCOPE: callers choose the scope of the broker's own client with ${credentialHeaders.scope}. Set STATIC_SCOPE.`,
    )
  }
  const isOneIssuer = gate !== undefined && !file?.has.issuers
  if (isOneIssuer && gate.audience === undefined) {
    const keys = gate.jwksUri === undefined ? "The JWT gate uses Dex's keys" : 'JWKS_URL is set'
    warnings.push(
      `${keys} without JWT_AUDIENCE: a JWT that the issuer made for any other service is accepted too. Set JWT_AUDIENCE.`,
    )
  }
  if (isOneIssuer && gate.jwksUri === undefined && gate.issuer !== issuer) {
    warnings.push(
      'JWT_ISSUER differs from DEX_ISSUER, whose keys verify the JWTs: JWTs by Dex name DEX_ISSUER and are refused. Set JWKS_URL to the keys of JWT_ISSUER.',
    )
  }
  if (isSet('ALLOWED_CLIENT_IDS') && isSet('STATIC_CLIENT_ID') && !file?.has.rules) {
    warnings.push(
      'ALLOWED_CLIENT_IDS has no effect, because STATIC_CLIENT_ID replaces the client id of every caller. Remove one of them.',
    )
  }
  if (isSet('ALLOWED_SCOPES') && isSet('STATIC_SCOPE') && !file?.has.rules) {
    warnings.push(
      'ALLOWED_SCOPES has no effect, because STATIC_SCOPE replaces the scope of every caller. Remove one of them.',
    )
  }
  if (broker.routeClients && file?.has.rules) {
    warnings.push(
      'ALLOW_ROUTE_CLIENTS has no effect, because the rules of the configuration file choose the client; they can read context. Remove one of them.',
    )
  }
  const hasGate = gate !== undefined || broker.issuers !== undefined
  if (
    broker.routeClients &&
    !hasGate &&
    !file?.has.rules &&
    grpc !== undefined &&
    !isLoopbackHost(grpc.host ?? '')
  ) {
    warnings.push(
      'ALLOW_ROUTE_CLIENTS is true without a JWT gate, and GRPC_LISTEN_ADDR is not a loopback address: callers that reach the gRPC listener can get a token of any client. Set JWT_AUDIENCE, or let only Envoy reach the listener.',
    )
  }
  if (credentialHeaders.basic && isFixedIdentity && !file?.has.rules) {
    warnings.push(
      'ACCEPT_BASIC only removes Authorization from requests, because STATIC_CLIENT_ID and STATIC_CLIENT_SECRET replace the credentials of every caller. Remove one of them.',
    )
  }
  return [
    ...warnings,
    ...exposedUrlWarnings(broker),
    ...emptyLimitWarnings(reading),
    ...certificateWarnings(config, Date.now()),
    ...sharedStoreWarnings(reading),
    ...(file === undefined
      ? []
      : fileWarnings(file, {
          dexIssuer: issuer,
          routesChoose: broker.routeClients === true && !file.has.rules,
        })),
  ]
}

function exposedUrlWarnings({ issuer, tokenEndpoint, jwksUri, gate }: Config['broker']): string[] {
  const warnings: string[] = []
  const isExposed = (url: string | undefined) => url !== undefined && isExposedUrl(new URL(url))
  if (isExposed(issuer)) {
    warnings.push(
      'DEX_ISSUER is not https: an attacker on the network can change its answer and receive client secrets.',
    )
  }
  if (isExposed(tokenEndpoint)) {
    warnings.push('DEX_TOKEN_URL is not https: client secrets and tokens cross the network unencrypted.')
  }
  if (isExposed(jwksUri)) {
    warnings.push(
      'DEX_JWKS_URL is not https: an attacker on the network can change its answer, make the broker drop tokens and, if the gate uses it, forge JWTs.',
    )
  }
  if (isExposed(gate?.jwksUri)) {
    warnings.push('JWKS_URL is not https: an attacker on the network can change its answer and forge JWTs.')
  }
  return warnings
}
