import type { CredentialHeaderNames } from '../check/credential-headers.ts'
import {
  assertClientCredentials,
  type ClientAuthMethod,
  scopeWithAudiences,
} from '../clients/client-credentials.ts'
import type { ConfiguredClient } from '../clients/requested-tokens.ts'
import type { ClaimsRules } from '../gate/jwt/assert-claims.ts'
import type { BrokerObserver } from '../shared/broker-event.ts'
import { type Clock, systemClock } from '../shared/clock.ts'
import { BrokerError } from '../shared/errors.ts'
import { endpointUrl } from '../shared/http/endpoint-url.ts'
import type { Transport } from '../shared/http/transport.ts'
import { type Logger, silentLogger } from '../shared/logger.ts'
import { maxTimerMs } from '../shared/wait-for.ts'
import { settableHeaderName, type TokenHeader } from '../tokens/token-headers.ts'
import type { DefaultClient, GateOptions, TokenBrokerOptions } from './broker-options.ts'

const maxCacheEntries = 1_000_000

export interface ResolvedGate extends ClaimsRules {
  /** `undefined`: that of Dex's issuer. */
  readonly jwksUri: string | undefined
  readonly verifiedJwtsMaxEntries: number
  readonly maxAgeMs: number
  readonly maxStaleMs: number
}

/** Options with every default filled in and every value checked. */
export interface ResolvedOptions {
  readonly issuer: string | undefined
  readonly tokenEndpoint: string | undefined
  readonly allowInsecureUrls: boolean
  readonly clientAuthMethod: ClientAuthMethod
  readonly client: ConfiguredClient
  readonly gate: ResolvedGate | undefined
  readonly tokenHeaders: readonly TokenHeader[]
  readonly authorizationHeader: string
  readonly credentialHeaders: CredentialHeaderNames
  readonly stripCredentialHeaders: boolean
  readonly requestTimeoutMs: number
  readonly cacheMaxEntries: number
  readonly cacheCleanupIntervalMs: number
  readonly expirySafetyMarginMs: number
  readonly negativeCacheTtlMs: number
  readonly refreshAheadRatio: number
  readonly maxTokenAgeMs: number
  readonly random: () => number
  readonly transport: Transport
  readonly clock: Clock
  readonly logger: Logger
  readonly observe: BrokerObserver
}

/** Throws a `TypeError` that starts with the name of the first wrong option. */
export function resolveOptions(options: TokenBrokerOptions): ResolvedOptions {
  const allowInsecure = checked(options.allowInsecureUrls, 'allowInsecureUrls', 'boolean') ?? false
  const { clientAuthMethod = 'client_secret_basic' } = options
  if (clientAuthMethod !== 'client_secret_basic' && clientAuthMethod !== 'client_secret_post') {
    throw new TypeError('clientAuthMethod must be client_secret_basic or client_secret_post')
  }
  const authorizationHeader = settableHeaderName(
    options.authorizationHeader ?? 'authorization',
    'authorizationHeader',
  )
  const issuer = resolveIssuer(options.issuer, allowInsecure)
  const names = options.credentialHeaders ?? {}
  const logger = withMethods(options.logger, 'logger', ['debug', 'info', 'warn', 'error']) ?? silentLogger
  return {
    issuer,
    tokenEndpoint:
      options.tokenEndpoint === undefined && issuer !== undefined
        ? undefined
        : endpointUrl(options.tokenEndpoint, 'tokenEndpoint', allowInsecure),
    allowInsecureUrls: allowInsecure,
    clientAuthMethod,
    client: resolveClient(options.client ?? {}),
    gate: options.gate && resolveGate(options.gate, issuer, allowInsecure),
    tokenHeaders: resolveTokenHeaders(options.tokenHeaders ?? {}, authorizationHeader),
    authorizationHeader,
    credentialHeaders: {
      clientId: settableHeaderName(names.clientId ?? 'x-client-id', 'credentialHeaders.clientId'),
      clientSecret: settableHeaderName(
        names.clientSecret ?? 'x-client-secret',
        'credentialHeaders.clientSecret',
      ),
      scope: settableHeaderName(names.scope ?? 'x-scope', 'credentialHeaders.scope'),
      jwt: settableHeaderName(options.gate?.jwtHeader ?? 'authorization', 'gate.jwtHeader'),
    },
    stripCredentialHeaders: checked(names.strip, 'credentialHeaders.strip', 'boolean') ?? true,
    requestTimeoutMs: duration(options.requestTimeoutMs ?? 5_000, 'requestTimeoutMs', 1),
    cacheMaxEntries: entries(options.cacheMaxEntries ?? 1024, 'cacheMaxEntries'),
    cacheCleanupIntervalMs: duration(options.cacheCleanupIntervalMs ?? 300_000, 'cacheCleanupIntervalMs', 1),
    expirySafetyMarginMs: duration(options.expirySafetyMarginMs ?? 30_000, 'expirySafetyMarginMs', 0),
    negativeCacheTtlMs: duration(options.negativeCacheTtlMs ?? 5_000, 'negativeCacheTtlMs', 0),
    refreshAheadRatio: ratio(options.refreshAheadRatio ?? 0.8, 'refreshAheadRatio'),
    maxTokenAgeMs: duration(options.maxTokenAgeMs ?? 0, 'maxTokenAgeMs', 0),
    random: checked(options.random, 'random', 'function') ?? Math.random,
    transport: checked(options.transport, 'transport', 'function') ?? (globalThis.fetch as Transport),
    clock: withMethods(options.clock, 'clock', ['wall', 'monotonic']) ?? systemClock,
    logger,
    observe: guarded(checked(options.observe, 'observe', 'function') ?? (() => {}), logger),
  }
}

function resolveClient({ clientId, clientSecret, scope, audiences }: DefaultClient): ConfiguredClient {
  for (const [part, value] of Object.entries({ clientId, clientSecret, scope })) {
    checked(value, `client.${part}`, 'string')
  }
  const client = {
    // An empty part is no part: the request may bring its own.
    clientId: clientId || undefined,
    clientSecret: clientSecret || undefined,
    scope: scope || undefined,
    audiences: strings(audiences ?? [], 'client.audiences'),
  }
  try {
    assertClientCredentials({
      clientId: client.clientId ?? 'the caller chooses',
      clientSecret: client.clientSecret ?? 'the caller chooses',
      scope: scopeWithAudiences(client.scope ?? '', client.audiences),
      configured: true,
    })
  } catch (error) {
    throw BrokerError.is(error) ? new TypeError(`client: ${error.message}`) : error
  }
  return client
}

/** Compared as it is written, so it is checked and not normalised. */
function resolveIssuer(issuer: unknown, allowInsecure: boolean): string | undefined {
  if (issuer === undefined || issuer === null) return undefined
  endpointUrl(issuer, 'issuer', allowInsecure)
  // The URL parser mends or drops these, and the document is looked for behind the text as it is.
  if (/[\s\\?#\p{Cc}]/u.test(issuer as string)) {
    throw new TypeError('issuer must not have a query, a fragment, a blank or a backslash')
  }
  return issuer as string
}

function resolveGate(gate: GateOptions, dexIssuer: string | undefined, allowInsecure: boolean): ResolvedGate {
  const maxAgeMs = duration(gate.jwksMaxAgeMs ?? 600_000, 'gate.jwksMaxAgeMs', 1)
  const maxStaleMs = duration(gate.jwksMaxStaleMs ?? Math.max(3_600_000, maxAgeMs), 'gate.jwksMaxStaleMs', 1)
  if (maxStaleMs < maxAgeMs) throw new TypeError('gate.jwksMaxStaleMs must not be below gate.jwksMaxAgeMs')
  const usesDexsKeys = gate.jwksUri === undefined && dexIssuer !== undefined
  const audience = gate.audience ?? undefined
  const audiences = audience === undefined ? undefined : strings(oneOrMore(audience), 'gate.audience')
  return {
    jwksUri: usesDexsKeys ? undefined : endpointUrl(gate.jwksUri, 'gate.jwksUri', allowInsecure),
    issuer:
      given(checked(gate.issuer, 'gate.issuer', 'string'), 'gate.issuer') ??
      (usesDexsKeys ? dexIssuer : undefined),
    audiences: given(audiences, 'gate.audience') ?? [],
    verifiedJwtsMaxEntries: entries(gate.verifiedJwtsMaxEntries ?? 4096, 'gate.verifiedJwtsMaxEntries'),
    clockToleranceMs: duration(gate.clockToleranceMs ?? 0, 'gate.clockToleranceMs', 0),
    maxAgeMs,
    maxStaleMs,
  }
}

function resolveTokenHeaders(
  tokenHeaders: Readonly<Record<string, string | readonly string[]>>,
  authorizationHeader: string,
): TokenHeader[] {
  if (typeof tokenHeaders !== 'object' || Array.isArray(tokenHeaders))
    throw new TypeError('tokenHeaders must be an object')
  const mapping: TokenHeader[] = []
  const taken = new Set([authorizationHeader])
  for (const [field, headers] of Object.entries(tokenHeaders)) {
    for (const name of strings(oneOrMore(headers), `tokenHeaders.${field}`)) {
      const header = settableHeaderName(name, `tokenHeaders.${field}`)
      if (taken.has(header))
        throw new TypeError(`tokenHeaders.${field}: ${header} is already set by the broker`)
      taken.add(header)
      mapping.push({ field, header })
    }
  }
  return mapping
}

/** Metrics must not decide whether somebody gets a token. */
function guarded(observe: BrokerObserver, logger: Logger): BrokerObserver {
  return event => {
    try {
      observe(event)
    } catch (error) {
      logger.error({ err: error }, 'the observer failed')
    }
  }
}

function oneOrMore<T>(value: string | T): readonly string[] | T {
  return typeof value === 'string' ? [value] : value
}

function strings(value: unknown, option: string): string[] {
  if (!Array.isArray(value) || !value.every(item => typeof item === 'string')) {
    throw new TypeError(`${option} must be an array of strings`)
  }
  return [...value]
}

/** `null` counts as left out, like `undefined`. */
function checked<T>(value: T, option: string, type: 'boolean' | 'function' | 'string'): T {
  if (value !== undefined && value !== null && typeof value !== type) {
    throw new TypeError(`${option} must be a ${type}`)
  }
  return value
}

/** Left out is a decision, empty is a mistake: an unset variable must not open the gate. */
function given<T extends string | readonly string[]>(value: T | undefined, option: string): T | undefined {
  if (value === undefined || value === null) return undefined
  if (value.length === 0 || (typeof value !== 'string' && value.some(item => item === ''))) {
    throw new TypeError(`${option} must not be empty; leave it out to accept any`)
  }
  return value
}

function withMethods<T extends object>(
  value: T | undefined,
  option: string,
  names: readonly (keyof T & string)[],
): T | undefined {
  for (const name of value ? names : []) {
    if (typeof value?.[name] !== 'function') throw new TypeError(`${option} must have the method ${name}`)
  }
  return value
}

function duration(value: unknown, option: string, minMs: number): number {
  if (typeof value !== 'number' || !(value >= minMs && value <= maxTimerMs)) {
    throw new TypeError(`${option} must be a number of milliseconds from ${minMs} to ${maxTimerMs}`)
  }
  return value
}

function ratio(value: unknown, option: string): number {
  if (typeof value !== 'number' || !(value > 0 && value <= 1)) {
    throw new TypeError(`${option} must be a number above 0 and not above 1`)
  }
  return value
}

function entries(value: unknown, option: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > maxCacheEntries) {
    throw new TypeError(`${option} must be a whole number from 0 to ${maxCacheEntries}`)
  }
  return value
}
