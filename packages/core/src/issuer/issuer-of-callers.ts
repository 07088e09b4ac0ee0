import type { CallersIssuer, CallersIssuerRules } from '../gate/callers-issuer.ts'
import type { KeySource } from '../gate/keys/key-source.ts'
import type { ResolvedGate } from '../options/resolve-gate.ts'
import type { ResolvedIssuer } from '../options/resolved-issuer.ts'
import type { NextParts } from '../shared/carried-parts.ts'
import type { Transport } from '../shared/http/transport.ts'
import { carriedKeys } from './carried-keys.ts'
import { carriedMetadata } from './carried-metadata.ts'
import { carriedMtlsOrigin, carriedOrigin } from './carried-origin.ts'
import { discoveryUrlOf } from './discovery-url-of.ts'
import type { Issuer } from './issuer.ts'
import { IssuerEndpoints } from './issuer-endpoints.ts'
import type { EndpointName, IssuerMetadata } from './issuer-metadata.ts'
import { issuerStatusOf } from './issuer-status-of.ts'
import { type IssuerSurroundings, issuerSurroundings } from './issuer-surroundings.ts'
import type { IssuersParts } from './issuers-parts.ts'
import { keyAlgorithms } from './key-algorithms.ts'
import type { OwnDex } from './own-dex.ts'

export interface IssuerOfCallersParts extends IssuersParts {
  readonly gate: ResolvedGate
  readonly ownDex: OwnDex
  readonly allowInsecureUrls: boolean
  /** The option `transport`. */
  readonly usualTransport: Transport
}

/** An issuer that the gate accepts. */
export interface IssuerOfCallers extends Issuer {
  readonly keys: KeySource
  /** Maximum age of its key set, in milliseconds. */
  readonly keysMaxAgeMs: number
  readonly ofCallers: CallersIssuer
}

/** Makes an issuer of callers' JWTs, which is also the origin of tokens when a client names it as its `dex`. */
export function issuerOfCallers(options: ResolvedIssuer, shared: IssuerOfCallersParts): IssuerOfCallers {
  const { parts, gate, usualTransport } = shared
  const { name, paths, transport = usualTransport } = options
  const surroundings = issuerSurroundings(parts, shared.surroundings, {
    name,
    urls: [options.issuer, options.discoveryUrl, options.jwksUri, options.tokenEndpoint],
    transport,
    option: paths.issuer,
  })
  const isTokenSource = options.hasClients && !options.sharesTokens
  const discoveryUrl = options.discoveryUrl ?? discoveryUrlIfUrl(options.issuer)
  const metadata = metadataOf(surroundings, options, { ...shared, discoveryUrl, isTokenSource })
  const { tokenEndpoint, jwksUri } = options
  const endpoints = new IssuerEndpoints({
    tokenEndpoint,
    jwksUri,
    discoveryUrl: metadata && discoveryUrl,
    metadata,
  })
  const ownKeys = options.sharesKeys
    ? undefined
    : carriedKeys(parts, surroundings, {
        name,
        jwksUri: endpoints.jwksUri,
        option: paths.keys,
        issuer: options.shownAs,
        maxAgeMs: gate.jwksMaxAgeMs,
        maxStaleMs: gate.jwksMaxStaleMs,
        algorithms: keyAlgorithms([options]),
        callers: shared.callers,
      })
  const keys = ownKeys ?? shared.ownDex.keys
  if (keys === undefined) throw new TypeError(`the issuer ${name} has no key set`)
  const isIssLearned = options.issuer === undefined && !options.acceptsAnyIss
  const isDocumentNeeded = isIssLearned || (isTokenSource && tokenEndpoint === undefined)
  const ofCallers: CallersIssuer = {
    name,
    shownAs: options.shownAs,
    expected: isIssLearned ? metadata : options.issuer,
    keys,
    clockSkew: ownKeys === undefined ? shared.ownDex.clockSkew : surroundings.clockSkew,
    rules: rulesIn(options),
    paths,
  }
  const { defaults, mtlsIssuers } = shared
  const ofOrigin = { name, issuer: options.issuer, option: paths.tokens, transport, metadata, defaults }
  const origin = isTokenSource
    ? carriedOrigin(parts, surroundings, { ...ofOrigin, tokenEndpoint: endpoints.tokenEndpoint })
    : undefined
  const mtlsOrigin =
    isTokenSource && tokenEndpoint === undefined
      ? carriedMtlsOrigin(parts, surroundings, {
          ...ofOrigin,
          tokenEndpoint: endpoints.mtlsTokenEndpoint,
          mtlsIssuers,
        })
      : undefined
  return {
    name,
    endpoints,
    origin,
    mtlsOrigin,
    keys,
    keysMaxAgeMs: gate.jwksMaxAgeMs,
    // The same object while it is unchanged: it belongs to the JWTs that are remembered as verified.
    ofCallers: parts.take('rules of issuer', name, [ofCallers], () => ofCallers),
    // Both calls start to load.
    missing() {
      const hasDocument = !isDocumentNeeded || metadata === undefined || isLoaded(metadata)
      const hasKeys = keys.prepare()
      return [...(hasDocument ? [] : (['endpoints'] as const)), ...(hasKeys ? [] : (['keys'] as const))]
    },
    status: () =>
      issuerStatusOf({
        name,
        issuer: options.issuer,
        isOfCallers: true,
        surroundings,
        endpoints,
        metadata,
        origin,
        mtlsOrigin,
        keys: ownKeys,
        keysOf: ownKeys === undefined ? shared.ownDex.name : name,
      }),
  }
}

function rulesIn(options: ResolvedIssuer): CallersIssuerRules {
  const { audiences, machineAudiences, isDex, clockToleranceMs, algorithms, groupsClaim } = options
  return { audiences, machineAudiences, isDex, clockToleranceMs, algorithms, groupsClaim }
}

function metadataOf(
  surroundings: IssuerSurroundings,
  { name, issuer, acceptsAnyIss, jwksUri, tokenEndpoint, sharesKeys, paths }: ResolvedIssuer,
  {
    parts,
    discoveryUrl,
    isTokenSource,
    allowInsecureUrls,
  }: {
    readonly parts: NextParts
    readonly discoveryUrl: string | undefined
    readonly isTokenSource: boolean
    readonly allowInsecureUrls: boolean
  },
): IssuerMetadata | undefined {
  const needs: EndpointName[] = []
  if (jwksUri === undefined && !sharesKeys) needs.push('jwksUri')
  if (tokenEndpoint === undefined && isTokenSource) needs.push('tokenEndpoint')
  const isIssKnown = issuer !== undefined || acceptsAnyIss
  if (discoveryUrl === undefined || (needs.length === 0 && isIssKnown)) return undefined
  return carriedMetadata(parts, surroundings, {
    name,
    issuer,
    url: discoveryUrl,
    option: paths.discovery,
    issuerOption: paths.issuer,
    needs,
    isTokenSource,
    allowInsecureUrls,
  })
}

/** The `iss` of some issuers is not a URL; such an issuer has its URLs in the options. */
function discoveryUrlIfUrl(issuer: string | undefined): string | undefined {
  const url = issuer && discoveryUrlOf(issuer)
  return url !== undefined && URL.canParse(url) ? url : undefined
}

function isLoaded(metadata: IssuerMetadata): boolean {
  if (metadata.document !== undefined) return true
  metadata.load().catch(() => {})
  return false
}
