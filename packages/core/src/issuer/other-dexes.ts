import type { ResolvedDex } from '../options/resolve-dex.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import { DexOrigin, type DexOriginOptions } from '../tokens/dex/dex-origin.ts'
import { DexEndpoints } from './dex-endpoints.ts'
import type { Issuer } from './issuer.ts'
import { IssuerMetadata } from './issuer-metadata.ts'

export interface OtherDexesOptions extends Omit<DexOriginOptions, 'tokenEndpoint' | 'option'> {
  readonly allowInsecureUrls: boolean
}

interface OtherDex extends Issuer {
  readonly endpoints: DexEndpoints
  readonly metadata: IssuerMetadata | undefined
}

/** The issuers other than the broker's Dex that named clients get their tokens from. */
export class OtherDexes {
  readonly #byName = new Map<string, OtherDex>()

  constructor(surroundings: Surroundings, dexes: readonly ResolvedDex[], options: OtherDexesOptions) {
    for (const dex of dexes) {
      if (!this.#byName.has(dex.name)) this.#byName.set(dex.name, otherDex(surroundings, dex, options))
    }
  }

  get(name: string): Issuer | undefined {
    return this.#byName.get(name)
  }

  /** Tells whether a URL is an endpoint of one of them. */
  includes(url: URL): boolean {
    return [...this.#byName.values()].some(({ endpoints }) => endpoints.includes(url))
  }

  /** Tells whether all endpoints are known, and starts to discover the others. */
  prepare(): boolean {
    return [...this.#byName.values()].map(({ endpoints }) => endpoints.prepare()).every(Boolean)
  }

  close(): void {
    for (const { metadata } of this.#byName.values()) metadata?.close()
  }
}

function otherDex(
  surroundings: Surroundings,
  { name, issuer, tokenEndpoint }: ResolvedDex,
  { allowInsecureUrls, ...origin }: OtherDexesOptions,
): OtherDex {
  const metadata =
    issuer === undefined || tokenEndpoint !== undefined
      ? undefined
      : new IssuerMetadata(surroundings, { issuer, allowInsecureUrls })
  const endpoints = new DexEndpoints({ issuer, tokenEndpoint, jwksUri: undefined, metadata })
  return {
    name,
    endpoints,
    metadata,
    origin: new DexOrigin(surroundings, {
      ...origin,
      tokenEndpoint: endpoints.tokenEndpoint,
      option: `issuers.${name}.${tokenEndpoint === undefined ? 'issuer' : 'tokenEndpoint'}`,
    }),
    keys: undefined,
    missing: () => (endpoints.prepare() ? [] : ['endpoints']),
  }
}
