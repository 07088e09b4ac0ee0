import { realmProblem } from '../check/challenge.ts'
import type { CredentialHeaderNames } from '../check/credential-headers.ts'
import type { ConfiguredClient } from '../clients/client.ts'
import type { BrokerObserver } from '../shared/broker-event.ts'
import { CheckLogger } from '../shared/check-logger.ts'
import { systemClock } from '../shared/clock.ts'
import { hintText } from '../shared/hint.ts'
import { endpointUrl } from '../shared/http/endpoint-url.ts'
import type { Transport, TransportResponse } from '../shared/http/transport.ts'
import { LogSampler } from '../shared/log-sampler.ts'
import { type Logger, silentLogger } from '../shared/logger.ts'
import type { LiveSurroundings } from '../shared/surroundings.ts'
import { version } from '../shared/version.ts'
import type { TokenHeader } from '../tokens/token-headers.ts'
import type { ClientAuthMethod } from './broker-options.ts'
import { type CredentialHeaderOptions, optionRules, type TokenBrokerOptions } from './broker-options.ts'
import type { ReservedHeaderPrefixes } from './header-name.ts'
import { type OptionNumbers, optionNumbers } from './option-numbers.ts'
import {
  assertKnownNames,
  assertPlainObject,
  checked,
  headerName,
  oneOrMore,
  strings,
  withMethods,
} from './option-values.ts'
import { type ResolvedChoice, resolveChoice } from './resolve-choice.ts'
import { resolveClient } from './resolve-client.ts'
import { assertAuthMethod, type ResolvedNamedClient, resolveClients } from './resolve-clients.ts'
import { type ResolvedGate, resolveGate } from './resolve-gate.ts'
import { issuerUrl } from './resolve-issuers.ts'

/** Validated options with defaults. */
export interface ResolvedOptions extends Omit<OptionNumbers<''>, 'requestTimeoutMs'> {
  readonly surroundings: LiveSurroundings
  readonly issuer: string | undefined
  readonly tokenEndpoint: string | undefined
  /** URL of Dex's key set; `undefined` to discover it from the issuer. */
  readonly jwksUri: string | undefined
  readonly allowInsecureUrls: boolean
  readonly clientAuthMethod: ClientAuthMethod
  readonly client: ConfiguredClient
  readonly clients: readonly ResolvedNamedClient[]
  readonly choice: ResolvedChoice
  readonly gate: ResolvedGate | undefined
  readonly tokenHeaders: readonly TokenHeader[]
  readonly authorizationHeader: string
  readonly credentialHeaders: CredentialHeaderNames
  readonly stripCredentialHeaders: boolean
  readonly realm: string
}

const names: { readonly [Name in Exclude<keyof TokenBrokerOptions, keyof OptionNumbers<''>>]-?: true } = {
  issuer: true,
  tokenEndpoint: true,
  jwksUri: true,
  clientAuthMethod: true,
  client: true,
  clients: true,
  gate: true,
  issuers: true,
  chooseClient: true,
  routeClients: true,
  backendHeaders: true,
  allowedClientIds: true,
  allowedScopes: true,
  tokenHeaders: true,
  authorizationHeader: true,
  credentialHeaders: true,
  realm: true,
  reservedHeaderPrefixes: true,
  allowInsecureUrls: true,
  userAgent: true,
  transport: true,
  clock: true,
  random: true,
  logger: true,
  observe: true,
  describeHint: true,
}
const credentialHeaderNames: { readonly [Name in keyof Required<CredentialHeaderOptions>]: true } = {
  clientId: true,
  clientSecret: true,
  scope: true,
  basic: true,
  allowJoined: true,
  strip: true,
}

/** Validates options. Throws a `TypeError` that starts with the name of the first wrong option. */
export function resolveOptions(options: TokenBrokerOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError('options must be an object')
  }
  const { requestTimeoutMs, ...numbers } = optionNumbers(options, '')
  assertKnownNames(options, [...Object.keys(names), 'requestTimeoutMs', ...Object.keys(numbers)])
  const allowInsecureUrls = checked(options.allowInsecureUrls, 'allowInsecureUrls', 'boolean') ?? false
  const { clientAuthMethod = optionRules.clientAuthMethod.default, reservedHeaderPrefixes = {} } = options
  assertAuthMethod(clientAuthMethod, 'clientAuthMethod')
  const authorizationHeader = headerName(
    options.authorizationHeader ?? optionRules.authorizationHeader.default,
    'authorizationHeader',
    reservedHeaderPrefixes,
  )
  const issuer =
    options.issuer === undefined || options.issuer === null
      ? undefined
      : issuerUrl(options.issuer, 'issuer', allowInsecureUrls)
  const jwksUri =
    options.jwksUri === undefined ? undefined : endpointUrl(options.jwksUri, 'jwksUri', allowInsecureUrls)
  if (issuer === undefined && options.tokenEndpoint === undefined) {
    throw new TypeError('tokenEndpoint or issuer is required')
  }
  const tokenEndpoint =
    options.tokenEndpoint === undefined && issuer !== undefined
      ? undefined
      : endpointUrl(options.tokenEndpoint, 'tokenEndpoint', allowInsecureUrls)
  const gate = resolveGate(options, { issuer, tokenEndpoint, jwksUri, allowInsecureUrls })
  const tokenHeaders = resolveTokenHeaders(
    options.tokenHeaders ?? {},
    authorizationHeader,
    reservedHeaderPrefixes,
  )
  const credentialHeaders = resolveCredentialHeaders(options, reservedHeaderPrefixes, gate !== undefined)
  return {
    ...numbers,
    surroundings: resolveSurroundings(options, requestTimeoutMs),
    issuer,
    tokenEndpoint,
    jwksUri,
    allowInsecureUrls,
    clientAuthMethod,
    client: resolveClient(options.client ?? {}),
    clients: resolveClients(options, {
      authMethod: clientAuthMethod,
      issuers: gate?.issuers.filter(({ hasClients }) => hasClients) ?? [],
    }),
    choice: resolveChoice(options, { authorizationHeader, tokenHeaders, credentialHeaders }),
    gate,
    tokenHeaders,
    authorizationHeader,
    credentialHeaders,
    stripCredentialHeaders:
      checked(options.credentialHeaders?.strip, 'credentialHeaders.strip', 'boolean') ??
      optionRules['credentialHeaders.strip'].default,
    realm: resolveRealm(options.realm),
  }
}

function resolveSurroundings(options: TokenBrokerOptions, requestTimeoutMs: number): LiveSurroundings {
  const target = withMethods(options.logger, 'logger', ['debug', 'info', 'warn', 'error']) ?? silentLogger
  const logger = new CheckLogger(target)
  const clock = withMethods(options.clock, 'clock', ['wall', 'monotonic']) ?? systemClock
  return {
    transport: checked(options.transport, 'transport', 'function') ?? globalFetch,
    userAgent: resolveUserAgent(options.userAgent),
    clock,
    random: checked(options.random, 'random', 'function') ?? Math.random,
    logger,
    sampler: new LogSampler(clock),
    observe: guarded(checked(options.observe, 'observe', 'function') ?? (() => {}), logger),
    describeHint: checked(options.describeHint, 'describeHint', 'function') ?? hintText,
    requestTimeoutMs,
  }
}

function resolveUserAgent(option: string | undefined): string {
  const userAgent = checked(option, 'userAgent', 'string') ?? `broker-core/${version}`
  if (!/^[\x21-\x7e][\x20-\x7e]*$/.test(userAgent)) throw new TypeError('userAgent must be visible ASCII')
  return userAgent
}

function resolveRealm(realm: string | undefined): string {
  const value = realm ?? optionRules.realm.default
  const problem = realmProblem(value)
  if (problem !== undefined) throw new TypeError(`realm ${problem}`)
  return value
}

function resolveCredentialHeaders(
  { credentialHeaders = {}, gate }: TokenBrokerOptions,
  reservedPrefixes: ReservedHeaderPrefixes,
  hasGate: boolean,
): CredentialHeaderNames {
  assertKnownNames(credentialHeaders, Object.keys(credentialHeaderNames), 'credentialHeaders.')
  const nameOf = (part: 'clientId' | 'clientSecret' | 'scope') => {
    const option = `credentialHeaders.${part}` as const
    return headerName(credentialHeaders[part] ?? optionRules[option].default, option, reservedPrefixes)
  }
  const names = {
    clientId: nameOf('clientId'),
    clientSecret: nameOf('clientSecret'),
    scope: nameOf('scope'),
    jwt: headerName(
      gate?.jwtHeader ?? optionRules['gate.jwtHeader'].default,
      'gate.jwtHeader',
      reservedPrefixes,
    ),
    allowJoined:
      checked(credentialHeaders.allowJoined, 'credentialHeaders.allowJoined', 'boolean') ??
      optionRules['credentialHeaders.allowJoined'].default,
  }
  const basic =
    checked(credentialHeaders.basic, 'credentialHeaders.basic', 'boolean') ??
    optionRules['credentialHeaders.basic'].default
  if (!basic) return { ...names, basic: undefined }
  for (const part of ['clientId', 'clientSecret', 'scope'] as const) {
    if (names[part] === 'authorization')
      throw new TypeError(`credentialHeaders.basic excludes authorization as credentialHeaders.${part}`)
  }
  if (hasGate && names.jwt === 'authorization') {
    throw new TypeError(
      'credentialHeaders.basic needs another gate.jwtHeader: authorization cannot carry a JWT and Basic credentials',
    )
  }
  return { ...names, basic: 'authorization' }
}

function resolveTokenHeaders(
  tokenHeaders: Readonly<Record<string, string | readonly string[]>>,
  authorizationHeader: string,
  reservedPrefixes: ReservedHeaderPrefixes,
): TokenHeader[] {
  assertPlainObject(tokenHeaders, 'tokenHeaders')
  const mapping: TokenHeader[] = []
  const taken = new Set([authorizationHeader])
  for (const [field, headers] of Object.entries(tokenHeaders)) {
    for (const name of strings(oneOrMore(headers), `tokenHeaders.${field}`)) {
      const header = headerName(name, `tokenHeaders.${field}`, reservedPrefixes)
      if (taken.has(header))
        throw new TypeError(`tokenHeaders.${field}: ${header} is already set by the broker`)
      taken.add(header)
      mapping.push({ field, header })
    }
  }
  return mapping
}

/** Looked up for each request, because test tools and instrumentation replace it later. */
const globalFetch: Transport = (url, request) => globalThis.fetch(url, request) as Promise<TransportResponse>

/** Logs the errors of an observer, so that metrics cannot break checks. */
function guarded(observe: BrokerObserver, logger: Logger): BrokerObserver {
  return event => {
    try {
      observe(event)
    } catch (error) {
      logger.error({ err: error }, 'observer failed')
    }
  }
}
