import { endpointUrl } from '../shared/http/endpoint-url.ts'
import { type IssuerOptions, optionRules, type TokenBrokerOptions } from './broker-options.ts'
import { assertOptionNumber } from './option-numbers.ts'
import { assertKnownNames, assertPlainObject, checked, given, oneOrMore, strings } from './option-values.ts'
import type { ResolvedIssuer } from './resolved-issuer.ts'

const names: { readonly [Name in keyof Required<IssuerOptions>]: true } = {
  name: true,
  issuer: true,
  discoveryUrl: true,
  jwksUri: true,
  tokenEndpoint: true,
  audiences: true,
  isDex: true,
  machineAudiences: true,
  algorithms: true,
  clockToleranceMs: true,
  groupsClaim: true,
  transport: true,
}
const namePattern = /^[\w.-]{1,64}$/

/** The broker's own Dex, and what applies to all issuers. */
export interface IssuersContext {
  readonly issuer: string | undefined
  readonly tokenEndpoint: string | undefined
  readonly jwksUri: string | undefined
  readonly allowInsecureUrls: boolean
  /** The default, in milliseconds. */
  readonly clockToleranceMs: number
}

/** Validates the option `issuers`. An empty list is refused, because it would open the gate. */
export function resolveIssuers(
  { issuers, clients }: TokenBrokerOptions,
  context: IssuersContext,
): readonly ResolvedIssuer[] {
  if (!Array.isArray(issuers)) throw new TypeError('issuers must be an array')
  if (issuers.length === 0) throw new TypeError('issuers must not be empty; omit it to admit every caller')
  const namedByClients = new Set(Object.values(clients ?? {}).map(client => client?.dex))
  const resolved = issuers.map((options: IssuerOptions, index) =>
    resolveIssuer(options, `issuers[${index}]`, { ...context, namedByClients }),
  )
  // Only one of two equal names or issuers could ever be found.
  assertUnique(resolved, 'name')
  assertUnique(resolved, 'issuer')
  return resolved
}

function resolveIssuer(
  options: IssuerOptions,
  at: string,
  context: IssuersContext & { readonly namedByClients: ReadonlySet<string | undefined> },
): ResolvedIssuer {
  assertPlainObject(options, at)
  assertKnownNames(options, Object.keys(names), `${at}.`)
  const name: unknown = options.name
  if (typeof name !== 'string' || !namePattern.test(name)) {
    throw new TypeError(`${at}.name must be 1 to 64 letters, digits, "-", "_" and "."`)
  }
  const hasClients = context.namedByClients.has(name)
  const urls = resolveUrls(options, at, { ...context, hasClients })
  const shares = sharedWithOwnDex(urls, options.transport ?? undefined, context)
  const machineAudiences = resolveMachineAudiences(options.machineAudiences, `${at}.machineAudiences`)
  const isDex =
    checked(options.isDex, `${at}.isDex`, 'boolean') ??
    (shares.isOwnDex || machineAudiences !== undefined || hasClients)
  if (!isDex && machineAudiences !== undefined) {
    throw new TypeError(`${at}.machineAudiences must be omitted with isDex: false`)
  }
  const discovery = `issuers.${name}.${urls.discoveryUrl === undefined ? 'issuer' : 'discoveryUrl'}`
  const orDiscovery = (part: 'jwksUri' | 'tokenEndpoint') =>
    urls[part] === undefined ? discovery : `issuers.${name}.${part}`
  const clockToleranceMs = options.clockToleranceMs ?? undefined
  if (clockToleranceMs !== undefined) {
    assertOptionNumber(clockToleranceMs, `${at}.clockToleranceMs`, optionRules['gate.clockToleranceMs'])
  }
  return {
    name,
    shownAs: name,
    paths: {
      issuer: `issuers.${name}.issuer`,
      audiences: `issuers.${name}.audiences`,
      clockToleranceMs:
        clockToleranceMs === undefined ? 'gate.clockToleranceMs' : `issuers.${name}.clockToleranceMs`,
      discovery,
      keys: orDiscovery('jwksUri'),
      tokens: orDiscovery('tokenEndpoint'),
    },
    ...urls,
    acceptsAnyIss: false,
    sharesKeys: shares.keys,
    sharesTokens: shares.tokens,
    hasClients,
    isDex,
    audiences: resolveAudiences(options.audiences, `${at}.audiences`),
    machineAudiences: machineAudiences ?? [],
    algorithms: resolveAlgorithms(options.algorithms, `${at}.algorithms`),
    clockToleranceMs: clockToleranceMs ?? context.clockToleranceMs,
    groupsClaim: resolveGroupsClaim(options.groupsClaim, `${at}.groupsClaim`),
    transport: checked(options.transport, `${at}.transport`, 'function') ?? undefined,
  }
}

type Urls = Pick<ResolvedIssuer, 'issuer' | 'discoveryUrl' | 'jwksUri' | 'tokenEndpoint'>

function resolveUrls(
  options: IssuerOptions,
  at: string,
  { allowInsecureUrls, hasClients }: IssuersContext & { readonly hasClients: boolean },
): Urls {
  const url = (part: 'discoveryUrl' | 'jwksUri' | 'tokenEndpoint') => {
    const value = options[part] ?? undefined
    return value === undefined ? undefined : endpointUrl(value, `${at}.${part}`, allowInsecureUrls)
  }
  const urls = {
    discoveryUrl: url('discoveryUrl'),
    jwksUri: url('jwksUri'),
    tokenEndpoint: url('tokenEndpoint'),
  }
  const issuer = given(checked(options.issuer, `${at}.issuer`, 'string'), `${at}.issuer`)
  if (issuer === undefined && urls.discoveryUrl === undefined) {
    throw new TypeError(`${at}.issuer is required without discoveryUrl`)
  }
  // Only an issuer from which the discovery document is found must be a URL: some call themselves by a host name.
  const mayDiscover =
    urls.discoveryUrl === undefined &&
    (urls.jwksUri === undefined || (hasClients && urls.tokenEndpoint === undefined))
  return { issuer: mayDiscover ? issuerUrl(issuer, `${at}.issuer`, allowInsecureUrls) : issuer, ...urls }
}

/**
 * Validates the URL of an issuer without normalising it, because it is compared exactly. Throws a `TypeError` that starts with
 * the option's name.
 */
export function issuerUrl(issuer: unknown, option: string, allowInsecure: boolean): string {
  endpointUrl(issuer, option, allowInsecure)
  // The URL parser changes or drops these, but the URL of the document is the unchanged issuer and a path.
  if (/[\s\\?#\p{Cc}]/u.test(issuer as string)) {
    throw new TypeError(`${option} must not contain a query, a fragment, whitespace or a backslash`)
  }
  return issuer as string
}

/**
 * Tells what an issuer has in common with the broker's own Dex, so that nothing is fetched twice and one set of circuits and
 * slots counts for both.
 */
function sharedWithOwnDex(
  { issuer, discoveryUrl, jwksUri, tokenEndpoint }: Urls,
  transport: unknown,
  own: IssuersContext,
): { readonly isOwnDex: boolean; readonly keys: boolean; readonly tokens: boolean } {
  // Without `issuer` the options name the Dex by its key set.
  const isOwnDex =
    own.issuer === undefined ? jwksUri !== undefined && jwksUri === own.jwksUri : issuer === own.issuer
  const isFromSamePlace = transport === undefined && discoveryUrl === undefined
  return {
    isOwnDex,
    keys: isOwnDex && isFromSamePlace && (jwksUri === undefined || jwksUri === own.jwksUri),
    tokens: isFromSamePlace && (tokenEndpoint === undefined ? isOwnDex : tokenEndpoint === own.tokenEndpoint),
  }
}

export function resolveAudiences(value: IssuerOptions['audiences'], option: string): readonly string[] {
  const audience = value ?? undefined
  return given(audience === undefined ? undefined : strings(oneOrMore(audience), option), option) ?? []
}

export function resolveMachineAudiences(
  value: IssuerOptions['machineAudiences'],
  option: string,
): 'any' | readonly string[] | undefined {
  if (value === undefined || value === null || value === 'any') return value ?? undefined
  if (!Array.isArray(value)) throw new TypeError(`${option} must be "any" or an array of strings`)
  return given(strings(value, option), option)
}

export function resolveGroupsClaim(value: string | undefined, option: string): string {
  const { default: usual, maxLength } = optionRules['gate.groupsClaim']
  const claim = given(checked(value, option, 'string'), option) ?? usual
  if (claim.length > maxLength) throw new TypeError(`${option} must have at most ${maxLength} characters`)
  return claim
}

export function resolveAlgorithms(value: readonly string[] | undefined, option: string): readonly string[] {
  const { default: usual, values } = optionRules['gate.algorithms']
  if (value === undefined || value === null) return usual
  const algorithms = given(strings(value, option), option) ?? []
  if (!algorithms.every(algorithm => values.some(value => value === algorithm))) {
    throw new TypeError(`${option} must be a list of ${values.join(', ')}`)
  }
  return algorithms
}

function assertUnique(issuers: readonly ResolvedIssuer[], part: 'name' | 'issuer'): void {
  const seen = new Map<string, number>()
  for (const [index, { [part]: value }] of issuers.entries()) {
    if (value === undefined) continue
    const first = seen.get(value)
    if (first !== undefined) {
      throw new TypeError(`issuers[${index}].${part} must differ from issuers[${first}].${part}`)
    }
    seen.set(value, index)
  }
}
