import { headerNameProblem, isExposedUrl, optionRules, scopeWithAudiences } from '@broker/core/options'
import type { Settings } from '../schema/settings.ts'
import { envoyHeaderPrefixes } from '../values/envoy-header-prefixes.ts'
import { mappingsOf } from '../values/headers-by-field.ts'
import { quoteUrl } from '../values/quote-url.ts'
import { quoteValue } from '../values/quote-value.ts'
import { authenticationFindings } from './authentication-findings.ts'
import type { ConfigFile, Entry } from './config-file.ts'
import type { FileFinding } from './file-finding.ts'
import type { ClientDefinition, IssuerDefinition } from './file-schema.ts'
import { urlsOf } from './issuer-urls.ts'
import type { RuleDefinition } from './rule-schema.ts'

/** The configuration beside the file, against which its entries are checked. */
export interface EntryContext {
  readonly settings: Partial<Settings>
  readonly hasGate: boolean
  /** Whether the variables describe a whole client, id and secret. */
  readonly hasDefaultClient: boolean
}

/**
 * Finds what is wrong with entries that are valid separately: keys that exclude each other, unknown names, plain http. The
 * compiler of rules checks conditions and actions.
 */
export function entryFindings(file: ConfigFile, context: EntryContext): readonly FileFinding[] {
  return [
    ...file.issuers.flatMap(entry => [...issuerKeys(entry), ...exposedUrls(entry, context)]),
    ...authenticationFindings(file.clients, context.settings.DEX_CLIENT_CERT_FILE !== undefined),
    ...file.clients.flatMap(entry => clientEntry(entry, file)),
    ...file.rules.flatMap(entry => [
      ...ruleScope(entry, file, context),
      ...ruleClient(entry, context),
      ...ruleHeaders(entry, context),
    ]),
    ...openDoor(file, context),
  ]
}

const notWithKubernetes = [
  'discoveryUrl',
  'jwksUri',
  'tokenEndpoint',
  'isDex',
  'machineAudiences',
  'caFile',
] as const

function issuerKeys({ path, definition }: Entry<IssuerDefinition>): readonly FileFinding[] {
  if (definition.kubernetes !== undefined) {
    const missing: FileFinding = {
      path: [...path, 'audiences'],
      problem:
        'is missing; a kubernetes issuer needs it, because every pod has a token for the API server, which would pass without it',
    }
    const others = notWithKubernetes
      .filter(key => definition[key] !== undefined)
      .map(key => ({
        path: [...path, key],
        isKey: true,
        problem:
          key === 'caFile'
            ? 'has no meaning beside kubernetes; use kubernetes.caFile'
            : 'has no meaning beside kubernetes',
        example: false as const,
      }))
    return definition.audiences === undefined ? [missing, ...others] : others
  }
  if (definition.issuer !== undefined || definition.discoveryUrl !== undefined) return []
  return [
    { path: [...path, 'issuer'], problem: 'is missing; it is optional only with discoveryUrl or kubernetes' },
  ]
}

function exposedUrls(
  { path, definition }: Entry<IssuerDefinition>,
  { settings }: EntryContext,
): readonly FileFinding[] {
  if (settings.ALLOW_INSECURE_DEX_URL !== false) return []
  return urlsOf(definition)
    .filter(({ url }) => isExposedUrl(new URL(url)))
    .map(({ key, url }) => ({
      path: [...path, key],
      problem: `${quoteUrl(url)} is not https; on a network that you trust, set ALLOW_INSECURE_DEX_URL=true`,
    }))
}

function clientEntry(
  { path, definition }: Entry<ClientDefinition>,
  file: ConfigFile,
): readonly FileFinding[] {
  const { dex, scope, audiences } = definition
  const findings: FileFinding[] = []
  if (dex !== undefined && !file.names.issuers.includes(dex)) {
    const { issuers } = file.names
    const known = issuers.length === 0 ? 'there are no issuers' : `known: ${issuers.join(', ')}`
    const problem = `${quoteValue(dex)} is not the name of an issuer; ${known}`
    findings.push({ path: [...path, 'dex'], problem, example: false })
  }
  findings.push(...scopeLength([...path, 'audiences'], scope, audiences))
  return findings
}

function scopeLength(
  path: FileFinding['path'],
  scope = '',
  audiences: readonly string[] = [],
): readonly FileFinding[] {
  const { length } = scopeWithAudiences(scope, audiences)
  const { maxLength } = optionRules['client.scope']
  if (audiences.length === 0 || length <= maxLength) return []
  const problem =
    path.at(-1) === 'scope'
      ? `is ${length} characters together with the client's audiences, more than ${maxLength}`
      : `make a scope of ${length} characters together with scope, more than ${maxLength}`
  return [{ path, problem, example: false }]
}

/** The scope of a rule together with the parts that its client adds. */
function ruleScope(
  { path, definition }: Entry<RuleDefinition>,
  file: ConfigFile,
  { settings }: EntryContext,
): readonly FileFinding[] {
  const { client, scope, audiences } = definition.exchange ?? definition
  if (scope === undefined && audiences === undefined) return []
  const ofClient =
    client === 'default'
      ? { scope: settings.STATIC_SCOPE, audiences: settings.STATIC_AUDIENCES }
      : file.clients.find(entry => entry.definition.name === client)?.definition
  const place = definition.exchange === undefined ? path : [...path, 'exchange']
  return audiences === undefined
    ? scopeLength([...place, 'scope'], scope, ofClient?.audiences)
    : scopeLength([...place, 'audiences'], scope ?? ofClient?.scope, audiences)
}

function ruleClient(
  { path, definition: { client, exchange } }: Entry<RuleDefinition>,
  { hasDefaultClient }: EntryContext,
): readonly FileFinding[] {
  if ((client ?? exchange?.client) !== 'default' || hasDefaultClient) return []
  const problem = 'names the default client, so STATIC_CLIENT_ID and STATIC_CLIENT_SECRET must be set'
  const key = client === undefined ? ['exchange', 'client'] : ['client']
  return [{ path: [...path, ...key], problem, example: false }]
}

function ruleHeaders(
  { path, definition: { set = {} } }: Entry<RuleDefinition>,
  { settings }: EntryContext,
): readonly FileFinding[] {
  const taken = new Map<string, string>()
  for (const { field, header } of mappingsOf(settings.UPSTREAM_TOKEN_HEADERS ?? {}))
    taken.set(header, `carries ${quoteValue(field)} by UPSTREAM_TOKEN_HEADERS`)
  for (const variable of [
    'CLIENT_ID_HEADER',
    'CLIENT_SECRET_HEADER',
    'SCOPE_HEADER',
    'JWT_HEADER',
  ] as const) {
    const header = settings[variable]
    if (header !== undefined) taken.set(header, `is ${variable}`)
  }
  if (settings.UPSTREAM_AUTH_HEADER !== undefined)
    taken.set(settings.UPSTREAM_AUTH_HEADER, 'is UPSTREAM_AUTH_HEADER and carries the bearer token')
  return Object.keys(set).flatMap(header => {
    const lowerCase = header.toLowerCase()
    const problem = headerNameProblem(header, envoyHeaderPrefixes) ?? taken.get(lowerCase)
    if (problem === undefined) return []
    return [{ path: [...path, 'set', header], isKey: true, problem: `${quoteValue(header)} ${problem}` }]
  })
}

/** Without a gate, a rule that hands out a configured client's token hands it to everybody; `exchange` is refused anyway. */
function openDoor(file: ConfigFile, { settings, hasGate }: EntryContext): readonly FileFinding[] {
  if (hasGate || settings.ALLOW_UNAUTHENTICATED_CALLERS !== false) return []
  const open = file.rules.find(({ definition: { client } }) => client !== undefined && client !== 'caller')
  if (open === undefined) return []
  const problem =
    'hands out a token without a JWT gate, to every caller that reaches the check listener; add issuers, or if you want that, set ALLOW_UNAUTHENTICATED_CALLERS=true'
  return [{ path: [...open.path, 'client'], problem, example: false }]
}
