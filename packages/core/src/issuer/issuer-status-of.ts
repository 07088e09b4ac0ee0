import type { KeySource } from '../gate/keys/key-source.ts'
import type { IssuerStatus } from '../status/issuer-status.ts'
import type { DexOrigin } from '../tokens/dex/dex-origin.ts'
import type { IssuerEndpoints } from './issuer-endpoints.ts'
import type { IssuerMetadata } from './issuer-metadata.ts'
import type { IssuerSurroundings } from './issuer-surroundings.ts'

export interface IssuerStatusParts {
  readonly name: string
  /** The expected `iss`; `undefined` for the discovered one. */
  readonly issuer: string | undefined
  readonly isOfCallers: boolean
  readonly surroundings: IssuerSurroundings
  readonly endpoints: IssuerEndpoints
  readonly metadata: IssuerMetadata | undefined
  readonly origin: DexOrigin | undefined
  readonly mtlsOrigin: DexOrigin | undefined
  /** Its own keys; `undefined` when it has none, or uses another issuer's. */
  readonly keys: KeySource | undefined
  readonly keysOf: string | undefined
}

/** Puts together what the parts of an issuer tell about themselves. */
export function issuerStatusOf(parts: IssuerStatusParts): IssuerStatus {
  const { name, issuer, isOfCallers, surroundings, endpoints, metadata, origin, mtlsOrigin, keys, keysOf } =
    parts
  return {
    name,
    issuer: issuer ?? metadata?.issuer,
    isOfCallers,
    discovery: metadata?.status(),
    tokenEndpoint: origin && { url: endpoints.shown('tokenEndpoint'), ...origin.status() },
    ...(mtlsOrigin && {
      mtlsTokenEndpoint: {
        url: endpoints.shownMtlsTokenEndpoint ?? endpoints.shown('tokenEndpoint'),
        ...mtlsOrigin.status(),
      },
    }),
    keySet: keys && { url: endpoints.shown('jwksUri'), ...keys.status() },
    keysOf,
    clockSkew: surroundings.clockSkew.status,
  }
}
