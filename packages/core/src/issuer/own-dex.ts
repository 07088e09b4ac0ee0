import type { KeySourceOptions } from '../gate/keys/key-source.ts'
import type { ResolvedGate } from '../options/resolve-gate.ts'
import type { ResolvedOptions } from '../options/resolve-options.ts'
import type { DexOrigin } from '../tokens/dex/dex-origin.ts'
import { carriedKeys } from './carried-keys.ts'
import { carriedMetadata } from './carried-metadata.ts'
import { carriedMtlsOrigin, carriedOrigin } from './carried-origin.ts'
import type { ClockSkew } from './clock-skew.ts'
import { discoveryUrlOf } from './discovery-url-of.ts'
import { type Issuer, ownDexName } from './issuer.ts'
import { IssuerEndpoints } from './issuer-endpoints.ts'
import { issuerStatusOf } from './issuer-status-of.ts'
import { issuerSurroundings } from './issuer-surroundings.ts'
import type { IssuersParts } from './issuers-parts.ts'
import { keyAlgorithms } from './key-algorithms.ts'

type KeysAges = Pick<KeySourceOptions, 'maxAgeMs' | 'maxStaleMs'>

export interface OwnDex extends Issuer {
  readonly clockSkew: ClockSkew
  readonly origin: DexOrigin
  /** Maximum age of its key set, in milliseconds. */
  readonly keysMaxAgeMs: number
}

/** Makes the Dex of the options `issuer` and `tokenEndpoint`. */
export function ownDexOf(options: ResolvedOptions, shared: IssuersParts): OwnDex {
  const { issuer, tokenEndpoint, jwksUri, allowInsecureUrls } = options
  const { parts, defaults } = shared
  const name = ownDexName
  const { transport } = options.surroundings
  const surroundings = issuerSurroundings(parts, shared.surroundings, {
    name,
    urls: [issuer, tokenEndpoint, jwksUri],
    transport,
    option: 'issuer',
  })
  const discoveryUrl = issuer && discoveryUrlOf(issuer)
  const metadata =
    discoveryUrl === undefined
      ? undefined
      : carriedMetadata(parts, surroundings, {
          name,
          issuer,
          url: discoveryUrl,
          option: 'issuer',
          issuerOption: 'issuer',
          needs: ['tokenEndpoint', 'jwksUri'],
          isTokenSource: true,
          allowInsecureUrls,
        })
  const endpoints = new IssuerEndpoints({ tokenEndpoint, jwksUri, discoveryUrl, metadata })
  const allSharing = (options.gate?.issuers ?? []).filter(({ sharesKeys }) => sharesKeys)
  const [sharing] = allSharing
  const ages =
    sharing === undefined || options.gate === undefined ? agesOfOwnKeys(options) : agesIn(options.gate)
  const keys = needsKeys(options)
    ? carriedKeys(parts, surroundings, {
        name,
        jwksUri: endpoints.jwksUri,
        option: jwksUri === undefined ? 'issuer' : 'jwksUri',
        issuer: sharing?.shownAs,
        ...ages,
        algorithms: keyAlgorithms(allSharing),
        callers: shared.callers,
      })
    : undefined
  const option = tokenEndpoint === undefined ? 'issuer' : 'tokenEndpoint'
  const ofOrigin = { name, issuer, option, transport, metadata, defaults }
  const origin = carriedOrigin(parts, surroundings, { ...ofOrigin, tokenEndpoint: endpoints.tokenEndpoint })
  const mtlsOrigin =
    tokenEndpoint === undefined
      ? carriedMtlsOrigin(parts, surroundings, {
          ...ofOrigin,
          tokenEndpoint: endpoints.mtlsTokenEndpoint,
          mtlsIssuers: shared.mtlsIssuers,
        })
      : undefined
  const keysOf = keys && name
  return {
    name,
    clockSkew: surroundings.clockSkew,
    endpoints,
    origin,
    mtlsOrigin,
    keys,
    keysMaxAgeMs: ages.maxAgeMs,
    ofCallers: undefined,
    missing: () => (endpoints.prepare() ? [] : ['endpoints']),
    status: () =>
      issuerStatusOf({
        name,
        issuer,
        isOfCallers: false,
        surroundings,
        endpoints,
        metadata,
        origin,
        mtlsOrigin,
        keys,
        keysOf,
      }),
  }
}

/** Nobody verifies by these keys: at any age they only show which keys are gone. */
function agesOfOwnKeys({ jwksMaxAgeMs: maxAgeMs }: ResolvedOptions): KeysAges {
  return { maxAgeMs, maxStaleMs: Number.POSITIVE_INFINITY }
}

function agesIn({ jwksMaxAgeMs: maxAgeMs, jwksMaxStaleMs: maxStaleMs }: ResolvedGate): KeysAges {
  return { maxAgeMs, maxStaleMs }
}

/** Its keys are needed for dead tokens, unless an issuer of callers has the same ones from another place. */
function needsKeys({ issuer, jwksUri, gate }: ResolvedOptions): boolean {
  if (jwksUri !== undefined) return true
  const ofCallers = gate?.issuers ?? []
  if (ofCallers.some(({ sharesKeys }) => sharesKeys)) return true
  return issuer !== undefined && !ofCallers.some(other => other.issuer === issuer)
}
