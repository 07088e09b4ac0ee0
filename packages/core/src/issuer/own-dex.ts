import { KeySource, type KeySourceOptions } from '../gate/keys/key-source.ts'
import type { ResolvedGate } from '../options/resolve-gate.ts'
import type { ResolvedOptions } from '../options/resolve-options.ts'
import type { WaitingCallers } from '../shared/waiting-callers.ts'
import { DexOrigin, type DexOriginOptions } from '../tokens/dex/dex-origin.ts'
import { type Issuer, ownDexName } from './issuer.ts'
import { IssuerEndpoints } from './issuer-endpoints.ts'
import { discoveryUrlOf, IssuerMetadata } from './issuer-metadata.ts'

type KeysAges = Pick<KeySourceOptions, 'maxAgeMs' | 'maxStaleMs'>

/** The options that the origins of all Dexes share. */
export type DexOriginDefaults = Omit<DexOriginOptions, 'tokenEndpoint' | 'option'>

export interface OwnDex extends Issuer {
  readonly origin: DexOrigin
  /** Maximum age of its key set, in milliseconds. */
  readonly keysMaxAgeMs: number
}

/** Makes the Dex of the options `issuer` and `tokenEndpoint`. */
export function ownDexOf(
  options: ResolvedOptions,
  callers: WaitingCallers,
  defaults: DexOriginDefaults,
): OwnDex {
  const { surroundings, issuer, tokenEndpoint, jwksUri, allowInsecureUrls } = options
  const discoveryUrl = issuer && discoveryUrlOf(issuer)
  const metadata =
    discoveryUrl === undefined
      ? undefined
      : new IssuerMetadata(surroundings, {
          issuer,
          url: discoveryUrl,
          option: 'issuer',
          issuerOption: 'issuer',
          needs: ['tokenEndpoint', 'jwksUri'],
          isTokenSource: true,
          allowInsecureUrls,
        })
  const endpoints = new IssuerEndpoints({ tokenEndpoint, jwksUri, discoveryUrl, metadata })
  const sharing = options.gate?.issuers.find(({ sharesKeys }) => sharesKeys)
  const ages =
    sharing === undefined || options.gate === undefined ? agesOfOwnKeys(options) : agesIn(options.gate)
  const keys = needsKeys(options)
    ? new KeySource(surroundings, {
        jwksUri: endpoints.jwksUri,
        option: jwksUri === undefined ? 'issuer' : 'jwksUri',
        issuer: sharing?.shownAs,
        ...ages,
        callers,
      })
    : undefined
  return {
    name: ownDexName,
    endpoints,
    origin: new DexOrigin(surroundings, {
      ...defaults,
      tokenEndpoint: endpoints.tokenEndpoint,
      option: tokenEndpoint === undefined ? 'issuer' : 'tokenEndpoint',
    }),
    keys,
    keysMaxAgeMs: ages.maxAgeMs,
    ofCallers: undefined,
    missing: () => (endpoints.prepare() ? [] : ['endpoints']),
    close() {
      keys?.close()
      metadata?.close()
    },
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
