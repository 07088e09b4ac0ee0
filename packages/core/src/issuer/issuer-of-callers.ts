import type { CallersIssuer } from '../gate/callers-issuer.ts'
import { KeySource } from '../gate/keys/key-source.ts'
import type { ResolvedGate } from '../options/resolve-gate.ts'
import type { ResolvedIssuer } from '../options/resolved-issuer.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { WaitingCallers } from '../shared/waiting-callers.ts'
import { DexOrigin } from '../tokens/dex/dex-origin.ts'
import type { Issuer } from './issuer.ts'
import { IssuerEndpoints } from './issuer-endpoints.ts'
import { discoveryUrlOf, type EndpointName, IssuerMetadata } from './issuer-metadata.ts'
import type { DexOriginDefaults, OwnDex } from './own-dex.ts'

export interface IssuerOfCallersParts {
  readonly gate: ResolvedGate
  readonly ownDex: OwnDex
  readonly callers: WaitingCallers
  readonly allowInsecureUrls: boolean
  readonly defaults: DexOriginDefaults
}

/** An issuer that the gate accepts. */
export interface IssuerOfCallers extends Issuer {
  readonly keys: KeySource
  /** Maximum age of its key set, in milliseconds. */
  readonly keysMaxAgeMs: number
  readonly ofCallers: CallersIssuer
}

/** Makes an issuer of callers' JWTs, which is also the origin of tokens when a client names it as its `dex`. */
export function issuerOfCallers(
  usual: Surroundings,
  options: ResolvedIssuer,
  parts: IssuerOfCallersParts,
): IssuerOfCallers {
  const { name, paths, transport = usual.transport } = options
  const surroundings = { ...usual, transport }
  const isTokenSource = options.hasClients && !options.sharesTokens
  const discoveryUrl = options.discoveryUrl ?? discoveryUrlIfUrl(options.issuer)
  const metadata = metadataOf(surroundings, options, { ...parts, discoveryUrl, isTokenSource })
  const { tokenEndpoint, jwksUri } = options
  const endpoints = new IssuerEndpoints({
    tokenEndpoint,
    jwksUri,
    discoveryUrl: metadata && discoveryUrl,
    metadata,
  })
  const ownKeys = options.sharesKeys
    ? undefined
    : new KeySource(surroundings, {
        jwksUri: endpoints.jwksUri,
        option: paths.keys,
        issuer: options.shownAs,
        maxAgeMs: parts.gate.jwksMaxAgeMs,
        maxStaleMs: parts.gate.jwksMaxStaleMs,
        callers: parts.callers,
      })
  const keys = ownKeys ?? parts.ownDex.keys
  if (keys === undefined) throw new TypeError(`the issuer ${name} has no key set`)
  const isIssLearned = options.issuer === undefined && !options.acceptsAnyIss
  const isDocumentNeeded = isIssLearned || (isTokenSource && tokenEndpoint === undefined)
  return {
    name,
    endpoints,
    origin: isTokenSource
      ? new DexOrigin(surroundings, {
          ...parts.defaults,
          tokenEndpoint: endpoints.tokenEndpoint,
          option: paths.tokens,
        })
      : undefined,
    keys,
    keysMaxAgeMs: parts.gate.jwksMaxAgeMs,
    ofCallers: {
      name,
      shownAs: options.shownAs,
      expected: isIssLearned ? metadata : options.issuer,
      keys,
      rules: options,
      paths,
    },
    // Both calls start to load.
    missing() {
      const hasDocument = !isDocumentNeeded || metadata === undefined || isLoaded(metadata)
      const hasKeys = keys.prepare()
      return [...(hasDocument ? [] : (['endpoints'] as const)), ...(hasKeys ? [] : (['keys'] as const))]
    },
    close() {
      ownKeys?.close()
      metadata?.close()
    },
  }
}

function metadataOf(
  surroundings: Surroundings,
  { issuer, acceptsAnyIss, jwksUri, tokenEndpoint, sharesKeys, paths }: ResolvedIssuer,
  {
    discoveryUrl,
    isTokenSource,
    allowInsecureUrls,
  }: {
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
  return new IssuerMetadata(surroundings, {
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
