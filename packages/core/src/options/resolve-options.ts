import { realmProblem } from '../check/challenge.ts'
import type { CredentialHeaderNames } from '../check/credential-headers.ts'
import type { ConfiguredClient } from '../clients/client.ts'
import { CheckLogger } from '../shared/check-logger.ts'
import { systemClock } from '../shared/clock.ts'
import { guardedObserver } from '../shared/guarded-observer.ts'
import { hintText } from '../shared/hint.ts'
import { endpointUrl } from '../shared/http/endpoint-url.ts'
import type { Transport, TransportResponse } from '../shared/http/transport.ts'
import { LogSampler } from '../shared/log-sampler.ts'
import { silentLogger } from '../shared/logger.ts'
import type { LiveSurroundings } from '../shared/surroundings.ts'
import { systemTimers } from '../shared/timers.ts'
import { version } from '../shared/version.ts'
import type { TokenHeader } from '../tokens/token-headers.ts'
import type { ClientAuthMethod } from './broker-options.ts'
import { optionRules, type TokenBrokerOptions } from './broker-options.ts'
import { type OptionNumbers, optionNumbers } from './option-numbers.ts'
import { assertKnownNames, checked, headerName, withMethods } from './option-values.ts'
import { type ResolvedChoice, resolveChoice } from './resolve-choice.ts'
import { resolveClient } from './resolve-client.ts'
import { assertAuthMethod, type ResolvedNamedClient, resolveClients } from './resolve-clients.ts'
import { type ResolvedGate, resolveGate } from './resolve-gate.ts'
import { resolveCredentialHeaders, resolveTokenHeaders } from './resolve-headers.ts'
import { issuerUrl } from './resolve-issuers.ts'
import { type ResolvedSharedStore, resolveSharedStore } from './resolve-shared-store.ts'

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
  readonly sharedStore: ResolvedSharedStore | undefined
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
  sharedStore: true,
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
  tracer: true,
  describeHint: true,
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
    sharedStore: resolveSharedStore(options.sharedStore),
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
    timers: systemTimers,
    random: checked(options.random, 'random', 'function') ?? Math.random,
    logger,
    sampler: new LogSampler(clock),
    observe: guardedObserver(checked(options.observe, 'observe', 'function') ?? (() => {}), logger),
    tracer: withMethods(options.tracer, 'tracer', ['start']),
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

/** Looked up for each request, because test tools and instrumentation replace it later. */
const globalFetch: Transport = (url, request) => globalThis.fetch(url, request) as Promise<TransportResponse>
